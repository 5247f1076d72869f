"""A Prometheus that scrapes the sandbox's traffic and answers the query API.

series_store    samples by series, a bounded time of them
promql_reader   the PromQL that Sluice writes, worked out over the store
query_api       requests of the query API and their answers, without a server
server          the application: lazy scrapes, and the API over HTTP
"""
