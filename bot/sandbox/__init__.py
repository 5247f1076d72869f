"""The sandbox: a workspace, a cluster, a registry and metrics that need no account, around the bot that people run.

Nothing else in the house imports it: the bot is given other addresses and does not know. Every stand-in speaks the real
protocol over loopback HTTP, takes its time from the `Clock` port and passes the contract suites of the real servers.

loopback      how a stand-in is served, and the switch that takes it down
endpoint      a pod that gets a share of a service's requests
slack         a Slack workspace
channel_api   the page's half of it, which own_page keeps from other pages
"""
