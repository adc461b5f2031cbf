import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'

/** Contents that no one but a process with the secret may see; words that occur nowhere else. */
export const secretWords = {
  token: 'token-a7c1f09e55d2',
  password: 'password-5be80c2d11',
  apiKey: 'apikey-c0ffee77aa31',
} as const

/** No text: every byte, and the beginning of a gzip. */
export const blob = Buffer.from([0x1f, 0x8b, ...Array.from({ length: 512 }, (_, at) => (at * 7) % 256)])

/** What the image holds too, so that whoever looks for secrets in it can prove to be able to find something. */
export const pageText = 'a page that the image holds too'

/** Dies at once of SIGTERM, as the first process of a container does only if it asks to. */
const waits = `sh -c 'trap "exit 0" TERM; while :; do sleep 3600 & wait $$!; done'`

const main = `include: [parts/data.yml]
services:
  web:
    extends: { file: parts/base.yml, service: plain }
    build:
      context: .
      dockerfile_inline: |
        FROM busybox:1
        COPY . /src
        RUN echo "built by $$(id -u)" > /built
      labels: { org.example.team: till }
    command: httpd -f -p 8080 -h /srv
    ports: ["80:8080"]
    env_file: [web.env, { path: absent.env, required: false }]
    label_file: web.labels
    configs:
      - { source: greeting, target: /etc/shop/greeting }
      - { source: motd, target: /etc/shop/motd, mode: 0440, uid: "1000", gid: "1001" }
      - { source: page, target: /srv/index.html }
    secrets:
      - token
      - { source: blob, target: keys/blob, mode: 0400, uid: "1000", gid: "0" }
      - { source: api_key, target: /etc/shop/key }
    user: "1000:1001"
    read_only: true
    tmpfs: ["/scratch:size=1m,mode=1777"]
    ulimits: { nofile: { soft: 1234, hard: 2345 } }
    sysctls: { net.core.somaxconn: "77" }
    cap_drop: [ALL]
    group_add: ["4711"]
    hostname: till
    extra_hosts: ["ledger.example:10.9.8.7"]
    dns: 10.99.0.53
    dns_search: shop.example
    dns_opt: ["ndots:3"]
    shm_size: 8m
    init: true
    depends_on:
      data: { condition: service_healthy, restart: true }
      seed: { condition: service_completed_successfully }
  screen:
    extends: { file: parts/base.yml, service: plain }
    image: busybox:1
    tty: true
    command: sh -c 'tty; echo on a terminal; trap "exit 0" TERM; while :; do sleep 3600 & wait $$!; done'
  reader:
    extends: { file: parts/base.yml, service: plain }
    image: busybox:1
    command: ${waits}
    configs: [greeting]
    secrets: [token]
    volumes_from: ["data:ro"]
  auditor:
    extends: { file: parts/base.yml, service: plain }
    image: busybox:1
    command: ${waits}
    profiles: [audit]
    secrets: [token]
configs:
  greeting: { content: "hello \${WHO:-world}\\n" }
  motd: { environment: MOTD }
  page: { file: page.html }
secrets:
  token: { file: secrets/token }
  blob: { file: ./secrets/blob }
  api_key: { environment: API_KEY }
`

const base = `services:
  plain:
    stop_grace_period: 2s
    environment: { PLAIN: "yes" }
    labels: { rack.draining.timeout: "1" }
    deploy: { resources: { limits: { cpus: "0.05", memory: 16M } } }
`

const data = `services:
  data:
    extends: { file: base.yml, service: plain }
    image: busybox:1
    command: sh -c 'echo stored > /data/word; cat /run/secrets/password > /data/seen; exec httpd -f -p 9000 -h /data'
    container_name: shop-data
    networks: { default: { aliases: [store.example] } }
    volumes: ["data:/data"]
    secrets: [password]
    expose: [9000]
    healthcheck: { test: ["CMD", "test", "-e", "/data/word"], interval: 1s, timeout: 1s, retries: 3 }
  seed:
    extends: { file: base.yml, service: plain }
    image: busybox:1
    command: echo seeded
    restart: "no"
volumes: { data: {} }
secrets:
  password: { file: ./password }
`

/** One app that uses the compose file as far as it goes. */
export const composeApp: Record<string, string | Uint8Array> = {
  'compose.yaml': main,
  'parts/base.yml': base,
  'parts/data.yml': data,
  'parts/password': secretWords.password,
  'secrets/token': secretWords.token,
  'secrets/blob': blob,
  'page.html': pageText,
  'web.env': 'FROM_FILE="the file of ${WHO:-nobody}"\n',
  'web.labels': 'org.example.owner=till\nrack.health.timeout=2\n',
}

const fileOwners = `stat -c '%n %a %u:%g' /etc/shop/greeting /etc/shop/motd /srv/index.html /run/secrets/token \\
  /run/secrets/keys/blob /etc/shop/key`
const webFiles = [
  '/etc/shop/greeting 444 0:0',
  '/etc/shop/motd 440 1000:1001',
  '/srv/index.html 444 0:0',
  '/run/secrets/token 444 0:0',
  '/run/secrets/keys/blob 400 1000:0',
  '/etc/shop/key 444 0:0',
]

/** Asserts what `web` sees of its configs and secrets; `run` runs a script in one of its copies. */
export async function assertWebFiles(run: (script: string) => Promise<string>, token: string): Promise<void> {
  assert.deepEqual((await run(fileOwners)).split('\n'), webFiles)
  // Sums, so that what a one-off prints into the logs is no secret.
  const contents = ['hello world\n', 'be kind', pageText, token, blob, secretWords.apiKey]
  const sums = (await run(`sha256sum ${webFiles.map((line) => line.split(' ')[0]).join(' ')}`)).split('\n')
  assert.deepEqual(
    sums.map((line) => line.split(' ')[0]),
    contents.map((content) => createHash('sha256').update(content).digest('hex')),
  )
}
