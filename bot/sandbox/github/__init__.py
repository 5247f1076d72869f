"""A GitHub: commits, their checks and files, and workflows that run for a while.

history      commits with their parents, branches, tags and files
repository   a repository: its history, what was reported of it, and its workflow runs
api          requests of the REST API and their answers, without a server
server       the application, and all repositories by name
"""
