"""A catalogue that is valid, to be bent by the tests."""

from pathlib import Path
from textwrap import dedent

from runbooks.catalogue import Catalogue
from runbooks.source import read
from runbooks.validation import check

CATALOGUE = dedent(
    """\
    clusters: {main: {}}
    environments:
      staging: {cluster: main, namespace: staging}
      prod:
        cluster: main
        namespace: prod
        protected: true
        approval:
          from: "@release-approvers"
          count: 2
          within: 20m
          use_within: 1h
          on_call: "@on-call"
          break_glass: "@sre"
    services:
      api:
        image: ghcr.io/acme/api
        repository: github.com/acme/api
        workload: deployment/api
        container: api
        channel: "#deploys"
        runbooks: {prod: hotfix}
        smoke:
        - get: https://{environment}.api.example/healthz
        - post: https://{service}.example/items
          body: {name: x}
          expect: {status: 201, json: {id: present}}
        environments:
          prod: {workload: statefulset/api-main, namespace: special, container: main}
      web:
        image: localhost:5000/web
        workload: daemonset/web
        channel: C0DEPLOYS
    registries: {"localhost:5000": {insecure: true}}
    """
)


def a_catalogue(text: str = CATALOGUE) -> Catalogue:
    """The catalogue in a text."""
    return check(Catalogue, read(text.encode(), "sluice.yaml"))


def written(folder: Path, text: str = CATALOGUE) -> Path:
    """A file with that text."""
    path = folder / "sluice.yaml"
    path.write_text(text)
    return path
