"""The space-time diagram of a run, drawn from its traces: `python3 -m lib.diagram FOLDER -o diagramme.svg`.

A second witness: it reads the traces (`docs/protocole.md`, section 13) and nothing else. It imports `lib.texts` and the
standard library, never `lib.core`, so that a mistake in the program's clocks or cuts is not made again here; and it says
so, in the picture, on stderr and by its status, when what it reads cannot be (`witness`).

Reading order:

    options     what was asked for on the command line
    traces      the events that the sites wrote down
    causality   messages, cuts, an order without effects before causes, vector clocks
    witness     what is incoherent, by name
    choice      which events and messages to show, and how many at most
    layout      where every event stands: columns that never go back in time
    svg         the strokes: lines, arrows, texts
    scene       the styles of messages and the symbols of events
    legend      what stands under the picture
    picture     the diagram
    shiviz      the same events for the public ShiViz viewer
    __main__    puts it together
"""
