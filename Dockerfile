# Liaison from a checkout: docker build -t liaison .
# Run it with a folder of configuration and a volume for the database:
#   docker run -p 4400:4400 -v ./config:/etc/liaison:ro -v liaison:/var/lib/liaison -e LIAISON_ENCRYPTION_KEY=… liaison

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production \
    LIAISON_LISTEN__HOST=0.0.0.0 \
    LIAISON_LISTEN__PORT=4400 \
    LIAISON_STORAGE__SQLITE__FILE=/var/lib/liaison/liaison.db
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY src ./src
RUN mkdir -p /var/lib/liaison && chown node:node /var/lib/liaison
USER node
VOLUME /var/lib/liaison
EXPOSE 4400
# The issuer may have a path; the service answers below it and at the root alike.
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.LIAISON_LISTEN__PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "bin/liaison.js", "serve", "--config", "/etc/liaison"]
