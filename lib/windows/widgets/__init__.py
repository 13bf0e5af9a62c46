"""The pieces that windows are made of: they know Tk and what a person does, and nothing of trains.

    styles       how they look: every colour and measure, as ttk styles made from a palette
    popup        what opens beneath an entry and never takes the keyboard from it
    table        a table that holds only the rows that are seen
    completion   an entry that proposes
    date_field   an entry for a date, with a calendar
    cut          texts cut with an ellipsis, and whole beneath the mouse
    field        a label, an entry and what is wrong with it; forms made of them
    flow         widgets side by side, on as many lines as they need
    bars         how much is left, as text and as a bar
    dialog       questions, forms and errors before a window

A text that comes from elsewhere (a station's name) is only ever an argument to Tcl, never a part of its code. Nothing here
polls: an idle window costs nothing.
"""
