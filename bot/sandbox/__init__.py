"""The sandbox: a workspace, a cluster, a registry and metrics that need no account, around the bot that people run.

Nothing else in the house imports it: the bot is given other addresses and does not know. Every stand-in speaks the real
protocol over loopback HTTP, takes its time from the `Clock` port and passes the contract suites of the real servers.

loopback      how a stand-in is served, and the switch that takes it down
slack         a Slack workspace
kubernetes    a cluster: the API with the controllers and nodes behind it
registry      images, what is attached to them, and a key that signs them
github        commits, their checks and files, and workflows that run for a while
prometheus    scrapes the traffic and answers the query API
traffic       requests to all pods, counted second by second
behaviour     how a version answers: what its tag says, and what somebody has said since
counting      what one pod counts, drawn from a seed
endpoint      a pod that gets a share of a service's requests
service_door  what smoke checks ask of the services
github        commits, checks, files and workflows; evidence is what speaks for each version, there and in the registry

scenery       what stands there before anybody types: versions, manifests, the catalogue and the runbooks
page          the page's files; page_server serves them, channel_api is its half of Slack, own_page keeps others out
vocabulary    what its message box completes
session       one sandbox from its start to its end; folder and kept are what it leaves for the next
tour          its release in the terminal: story is what happens, stage where, witness who looks whether it is true
bot_process   `sluice serve` beside it, in a process of its own
surroundings  all stand-ins together; switches break them, panel shows them, cli is what is typed

virtual_clock time that passes as fast as the work is done
rehearsal     the bot on that clock; fast_tour is the tour there
simulate      runbooks rehearsed: scene and part are what is played, scenarios demand, faults trouble, simulation plays,
              aftermath looks at the end, recorder and transcript write down
readdressed   somebody's catalogue with the stand-ins' addresses; casting is who is in its Slack, rehearsed_door where
              its smoke checks lead, rehearsed_ci who plays its CI servers, rehearsed_signatures whose key signs
asked_gates   what its gates ask for; rehearsed_evidence gives it, and spoils it where a scenario says so
"""
