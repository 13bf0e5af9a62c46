"""What there is to see, as values: rows, labels, badges. No tkinter here: all of it is tested without a display."""
