"""The interactive page: all results of one or several folders in a single HTML file that loads nothing from elsewhere.

write.py puts together page.html, page.css, the scripts and the data of folder.py, which columns.py packs.
comparisons.py has differences with their intervals, boards.py turns leaderboards into tables to sort, histories.py
thins curves and layers to what a page can hold, and library.py gives the charting library. In the browser, data.js
unpacks, tables.js makes tables, view.js and front.js draw, details.js shows one run, and main.js holds the choices.
"""
