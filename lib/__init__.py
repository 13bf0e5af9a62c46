"""The map of the house: the subject's words, the rooms in reading order, who may import whom. There is no code here.

Glossary. French is what people read and type, and what stands on the wire; English is what programmers read.

    guichet         ticket office (class `Guichet`): holds the tickets, sells them, gathers snapshots
    client          client (class `Client`): consults, reserves, confirms, gives back
    billet          ticket                          détenteur       holder
    demande         request; at its client, errand  demandeur       requester
    retenir         hold                            offre           offer: a ticket held for a request
    accuse          acknowledgement                 retour          return: a ticket given back
    estampille      timestamp                       horloge         clock
    transmettant    forwarder                       voisin          neighbour
    rang            rank of a message in a channel  vie             life of a site, and heartbeat (`volet~vie`)
    instantané      snapshot                        tour            round
    époque          epoch: how often restored       restauration    restoration
    volet           phase of a sentence             mémoire         store, memory

Reading order: from the tickets outwards. Every room opens with its law.

    core/tickets     Ticket and Stock: free, held, sold; one table by which a ticket moves
    core/facts       what happened, as values; and `Say`, what a role wants said
    core/commands    what a user can ask of a site
    core/messages    what can be said: one frozen class a sentence
    core/selling     the guichet's role
    core/buying      the client's role
    core/clock       Lamport's clock
    core/intervals   sets of numbers as intervals
    core/belief      how far the numbers of a line are believed
    core/wire        a message as one AIRPLUG line, and back
    core/relay       every message passes a site once
    core/peers       the other sites: their lives, the ranks of every pair
    core/presence    who is in the system
    core/recording   the state of a role as the snapshot file holds it, and back
    core/audit       what a snapshot document claims, checked from the document alone
    core/snapshot    Lai and Yang's snapshot, with rounds
    core/restore     bringing the system back to a snapshot
    core/site        a site behind one door: role, clock, relay and snapshot together
    core/sites       what only the guichet's site does, and what only a client's

    texts            every sentence for a person, in French and in English; and `Problem`
    words            what the codes of the program are called in front of people
    edge/lines       from bytes to lines
    edge/streams     pipes that never block
    edge/log         what is said to people on stderr
    edge/options     the command line of both programs
    edge/commands    commands as they are typed
    edge/tables      text tables as people really send them
    edge/timetables  what is wanted of a timetable; the two CSV formats
    edge/gtfs        GTFS feeds
    edge/store       the durable store
    edge/snapshots   snapshot files
    edge/verify      checking snapshot files without a site
    edge/trace       what happened, as JSON lines
    edge/process     a site with its store, trace and output: durable, then traced, then said
    edge/sources     what a site listens to: pipes, signals, time
    edge/loop        the `poll` loop
    edge/assembly    putting a site together

    windows/         what is seen, in Tk; its own `__init__.py` is its map
    cable/           links that copy whole lines, and spoil them; its own `__init__.py` is its map
    launch/          starts, wires, watches and ends sites; its own `__init__.py` is its map
    broker/          sites on several machines, over a message broker; its own `__init__.py` is its map
    diagram/         the space-time diagram of a run, from its traces alone; its own `__init__.py` is its map

Who may import whom (held by `tests/core/test_architecture.py`):

    core     imports  core
    edge     imports  core, edge, texts
    windows  imports  windows, core, texts, words
    cable    imports  cable, texts, and of edge: lines, streams, log
    launch   imports  launch, texts, words, of cable: faults, and of broker: programs; to it, a site is a process
    broker   imports  broker, texts, words, and of launch: graph, wiring, processes, signals, what tells traces; to it, too
    diagram  imports  diagram, texts; it judges the clocks and cuts of core, and must not share them
    texts    imports  nothing of ours; words imports texts
    guichet.py and client.py introduce core, edge and windows to each other
"""
