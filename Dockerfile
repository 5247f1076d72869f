# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements.txt pyproject.toml README.md LICENSE ./
RUN python -m venv /opt/sluice \
 && /opt/sluice/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY bot ./bot
COPY commands ./commands
COPY runbooks ./runbooks
COPY deploy/slack-manifest.yaml ./deploy/
RUN /opt/sluice/bin/pip install --no-cache-dir --no-deps .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/sluice --create-home sluice
COPY --from=build /opt/sluice /opt/sluice
ENV PATH=/opt/sluice/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SLUICE_CONFIG=/etc/sluice/sluice.yaml \
    SLUICE_DATABASE_URL=sqlite:////var/lib/sluice/sluice.db
USER 10001
VOLUME /var/lib/sluice
EXPOSE 8080
ENTRYPOINT ["sluice"]
CMD ["serve"]
