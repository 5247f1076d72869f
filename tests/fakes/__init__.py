"""Stateful stand-ins, one per port; each passes the contract suite of its port."""
