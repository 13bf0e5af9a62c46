"""Sites on several machines, over a message broker: MQTT, Eclipse Mosquitto.

A site stays what it is, a filter between two pipes. What it writes, `mosquitto_pub` publishes on the site's own topic,
`billets/SITE`; what it reads, `mosquitto_sub` took from the topics of the sites that write to it. The topology decides who
may read whom, and the broker holds everyone to it.

Like the launcher, this room knows the contract and nothing of how a site is made. Reading order:

    files         for their owner alone
    programs      mosquitto's programs, and openssl: where they are
    member        what one site needs to take part: a value, an archive, option files
    certificates  an authority of our own, and the broker's certificate
    plan          what a broker serves: where, with or without TLS, which sites
    folder        a broker's folder: accounts, rights, settings, archives
    serve         a broker that runs, and goes on running
    link          whether the broker can be reached, from what is seen of it
    carrier       mosquitto_sub and mosquitto_pub around sites, begun again whenever they end
    join          one site on this machine
    options       the command lines
    __main__      `scripts/broker.sh` and `scripts/join.sh`
"""
