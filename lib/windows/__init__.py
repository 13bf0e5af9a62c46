"""What is seen: the windows of the guichet and of the clients, in Tk. They show, they do not think.

    view/       what there is to see, as rows and labels; no tkinter in it, tested without a display
    widgets/    what ttk lacks: a table of any length, completion, a calendar, checked fields
    driver      a site's pipes and its time inside the loop of Tk
    theme       colours, fonts, styles: light and dark, small and large
    window      what both windows have: banner, tabs, status line; `client` and `guichet` add what only they have

A window never touches a site: it writes a command, as a user would type it, and shows what happened. Windows know the
core, which they show; the edge hands itself in (`house.py`).
"""
