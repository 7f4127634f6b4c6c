# One image for every process; the command names the main file.
# `runtime` is what production runs; `development` adds the local stand-ins' dependencies.
FROM node:26-slim AS base
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates git libatomic1 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json ./
COPY cli/link-bin.js cli/

FROM base AS development
RUN npm ci --no-audit --no-fund
COPY . .
RUN install -d -o node /data
USER node

FROM base AS runtime
RUN npm ci --omit=dev --no-audit --no-fund
COPY . .
RUN install -d -o node /data
USER node
ENV NODE_ENV=production
CMD ["node", "gateway/main.ts"]
