# Liaison from a checkout: docker build -t liaison .
# How to run it, and behind what: docs/running/docker.md. compose.yaml does it for one machine.

FROM node:24-alpine AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:24-alpine
ENV NODE_ENV=production \
    NODE_DISABLE_COMPILE_CACHE=1 \
    LIAISON_LISTEN__HOST=0.0.0.0 \
    LIAISON_LISTEN__PORT=4400
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY src ./src
# The only place that is written to; the rest of the file system may be read-only. The embedded database is there by default.
RUN mkdir -m 700 /var/lib/liaison && chown node:node /var/lib/liaison && ln -s /var/lib/liaison data
USER node
VOLUME /var/lib/liaison
EXPOSE 4400
# Whether it is alive, not whether it is ready: a store that is away isn't mended by a restart, which is what an unhealthy
# container gets. The issuer may have a path; the service answers below it and at the root alike.
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.LIAISON_LISTEN__PORT}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
CMD ["node", "bin/liaison.js", "serve", "--config", "/etc/liaison"]
