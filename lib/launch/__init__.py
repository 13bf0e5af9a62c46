"""The launcher: starts sites, wires them, watches them, ends them; drives them from a console or in a demonstration.

It knows the contract (`docs/protocole.md`) and nothing of how a site is made: it imports `lib.texts`, `lib.words`, the
settings of a cable, what a broker needs, and the standard library, never `lib.core` or `lib.edge`. To it a site is a
process with two pipes, a command pipe, a log and a trace.

Reading order:

    options     what was asked for on the command line
    wiring      who writes into whom: a list of edges
    graph       a wiring as people write it: a text file
    folder      the run directory: its pipes, logs, traces, and its lock
    signals     Ctrl-C and its kind, and deaths, as something one can wait for
    processes   start, notice a death, stop by process id
    links       how the edges are made: straight into a FIFO, through a cable, or through a broker
    tiling      whether there can be windows, and where each goes
    traces      the events that the sites write down, as they appear
    run         all of these together: a running system
    screen      what people read: language, colours, tables
    phrases     an event in words
    telling     what happens, told as it happens
    keeper      tells who has died, and starts them again
    console     the terminal as a console
    accounts    what must be true, whoever tells it: the books, Lamport's condition
    dialogue    the messages of the application, with what they say
    stage       what a demonstration needs: give a command, wait for an event, check
    props       what its acts are made of: consult, hold, confirm
    photograph  the snapshot: taken by two at once, loaded back
    demo        the acts of `--demo`
    __main__    puts it together
"""
