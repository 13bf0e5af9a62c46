"""The core: no file, no wall clock, no chance, no thread, no window, no print. It is told, and it answers.

Everything that the program claims about tickets, clocks and messages is decided here, and can be tested without a process,
a pipe or a screen. Time comes in as a number (`now`, Unix seconds); what is to be said and what happened go out as values.
"""
