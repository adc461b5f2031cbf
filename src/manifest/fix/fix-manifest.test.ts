import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCorpus } from '../../../test/support/hostile/corpus.ts'
import { hostileInput } from '../../../test/support/hostile/hostile-input.ts'
import { dockerFeatures } from '../../domain/docker-features.ts'
import type { ManifestSource } from '../../domain/manifest.ts'
import type { ReadOptions } from '../load-tree.ts'
import { fixManifest } from './fix-manifest.ts'

const usual: ReadOptions = {
  environment: {},
  lenientVariables: true,
  isBeforeBuild: true,
  features: dockerFeatures,
}

async function fixSource(source: ManifestSource, options = usual) {
  return await fixManifest(source, options, (texts) => ({
    ...source,
    files: source.files.map(({ path, text }) => ({ path, text: texts.get(path) ?? text })),
    texts: Object.fromEntries(
      Object.entries(source.texts).map(([path, text]) => [path, texts.get(path) ?? text]),
    ),
  }))
}

function sourceOf(text: string): ManifestSource {
  return { files: [{ path: 'c.yml', text }], dotenv: null, texts: {}, contents: {} }
}

async function fixText(text: string) {
  const fixed = await fixSource(sourceOf(text))
  return { ...fixed, text: fixed.texts.get('c.yml') ?? text }
}

const web = 'services:\n  web:\n    image: nginx\n'

/** What is wrong, the file before, and after. */
const table: [about: string, before: string, after: string][] = [
  [
    'a key that is misspelt, with its comment',
    'services:\n  web: # the site\n    imge: nginx   # stable\n    enviroment: {A: b}\n',
    'services:\n  web: # the site\n    image: nginx   # stable\n    environment: {A: b}\n',
  ],
  ['the key of all processes', 'servics:\n  web:\n    image: nginx\n', web],
  ['a version that is none', `version: latest\n${web}`, web],
  [
    'a setting that is misspelt',
    `${web}    restart: unless_stopped\n`,
    `${web}    restart: unless-stopped\n`,
  ],
  [
    'a condition in flow style',
    `${web}    depends_on: {db: {condition: service_helthy}}\n  db: {image: postgres}\n`,
    `${web}    depends_on: {db: {condition: service_healthy}}\n  db: {image: postgres}\n`,
  ],
  [
    "a mount of the engine's socket among others",
    `${web}    volumes:\n      # what it needs\n      - /var/run/docker.sock:/tmp/docker.sock:ro # to look\n      - data:/data\nvolumes:\n  data:\n`,
    `${web}    volumes:\n      # what it needs\n      - data:/data\nvolumes:\n  data:\n`,
  ],
  [
    "the only mount, which is of the engine's socket",
    `${web}    volumes:\n      - /var/run/docker.sock:/var/run/docker.sock\n    init: true\n`,
    `${web}    init: true\n`,
  ],
  [
    "a mount of the engine's socket in flow style, and in the long form",
    `${web}    volumes: ["/var/run/docker.sock:/s", "data:/data"]\n  two:\n    image: nginx\n    volumes:\n      - type: bind\n        source: /run/podman/podman.sock\n        target: /s\n      - data:/data\nvolumes: {data: {}}\n`,
    `${web}    volumes: ["data:/data"]\n  two:\n    image: nginx\n    volumes:\n      - data:/data\nvolumes: {data: {}}\n`,
  ],
  [
    'a port of the wild, which gets the label that names it',
    `${web}    ports:\n      - "8080:80"\n\n  # the other\n  db:\n    image: postgres\n`,
    `${web}    ports:\n      - "8080:80"\n    labels:\n      rack.port.8080.protocol: http\n\n  # the other\n  db:\n    image: postgres\n`,
  ],
  [
    'labels that are a list, and quoted',
    `${web}    ports: ["3000:3000"]\n    labels:\n      - "a=b" # mine\n`,
    `${web}    ports: ["3000:3000"]\n    labels:\n      - "a=b" # mine\n      - rack.port.3000.protocol=http\n`,
  ],
  [
    'a process on one line',
    'services:\n  web: { image: nginx, ports: ["8080:80"] }\n',
    'services:\n  web: { image: nginx, ports: ["8080:80"], labels: { rack.port.8080.protocol: http } }\n',
  ],
  [
    'what is said to Traefik',
    `${web}    labels:\n      traefik.enable: "true"\n      traefik.http.services.web.loadbalancer.server.port: "3000"\n      traefik.http.services.web.loadbalancer.healthcheck.path: /up\n`,
    `${web}    labels:\n      traefik.enable: "true"\n      traefik.http.services.web.loadbalancer.server.port: "3000"\n      traefik.http.services.web.loadbalancer.healthcheck.path: /up\n      rack.health.path: /up\n    ports:\n      - "80:3000"\n`,
  ],
  [
    'what is said to Traefik by a service of Swarm',
    `${web}    deploy:\n      labels:\n        - traefik.http.services.web.loadbalancer.server.port=3000\n`,
    `${web}    deploy:\n      labels:\n        - traefik.http.services.web.loadbalancer.server.port=3000\n    ports:\n      - "80:3000"\n`,
  ],
  [
    "labels of the rack's that stand where Swarm alone reads them",
    `${web}    ports: ["80:80"]\n    labels: { rack.allow: 10.0.0.0/8 }\n    deploy:\n      labels:\n        rack.health.path: /up\n        rack.allow: 10.0.0.1\n`,
    `${web}    ports: ["80:80"]\n    labels: { rack.allow: 10.0.0.0/8, rack.health.path: /up }\n    deploy:\n      labels:\n        rack.health.path: /up\n        rack.allow: 10.0.0.1\n`,
  ],
  [
    'what is said to nginx-proxy, of a port that is open',
    `${web}    ports: ["8123:8123"]\n    environment: { VIRTUAL_HOST: a.example.com, VIRTUAL_PORT: "8123" }\n`,
    `${web}    ports: ["8123:8123"]\n    environment: { VIRTUAL_HOST: a.example.com, VIRTUAL_PORT: "8123" }\n    labels:\n      rack.port.8123.protocol: http\n`,
  ],
  [
    'a volume that is not declared, where none is',
    `${web}    volumes: [data:/data]`,
    `${web}    volumes: [data:/data]\n\nvolumes:\n  data:\n`,
  ],
  [
    'a volume that is not declared, where others are',
    `volumes:\n  cache:\n    name: x # old\n${web}    volumes: [cache:/c, uploads:/data]\n`,
    `volumes:\n  cache:\n    name: x # old\n  uploads:\n${web}    volumes: [cache:/c, uploads:/data]\n`,
  ],
  [
    'a network that is not declared',
    `${web}    networks: [inner]\n`,
    `${web}    networks: [inner]\n\nnetworks:\n  inner:\n`,
  ],
  [
    'a secret of others',
    `${web}    secrets: [db-password]\nsecrets:\n  db-password:\n    external: true\n`,
    `${web}    secrets: [db-password]\nsecrets:\n  db-password:\n    environment: DB_PASSWORD\n`,
  ],
  [
    'mounts that would reach others',
    `${web}    volumes: ["data:/data:ro,rslave"]\nvolumes: {data: }\n`,
    `${web}    volumes: ["data:/data:ro"]\nvolumes: {data: }\n`,
  ],
  [
    'the same in the long form, of which nothing is left',
    `${web}    volumes: [{ type: bind, source: ./d, target: /d, bind: { propagation: rslave } }]\n`,
    `${web}    volumes: [{ type: bind, source: ./d, target: /d, bind: {} }]\n`,
  ],
  [
    'a dollar that starts no variable',
    `${web}    environment:\n      PASSWORD: "a$1$$b" # as given\n`,
    `${web}    environment:\n      PASSWORD: "a$$1$$b" # as given\n`,
  ],
  [
    'a job that would be started again',
    `${web}    depends_on: {job: {condition: service_completed_successfully}}\n  job:\n    image: nginx\n    restart: always\n`,
    `${web}    depends_on: {job: {condition: service_completed_successfully}}\n  job:\n    image: nginx\n    restart: "no"\n`,
  ],
  ['a number to the base 60', `${web}    ports:\n      - 22:22\n`, `${web}    ports:\n      - "22:22"\n`],
  [
    'words of YAML 1.1, and bare seconds',
    `${web}    init: yes\n    stop_grace_period: 30\n`,
    `${web}    init: true\n    stop_grace_period: 30s\n`,
  ],
  [
    'an image with capitals',
    'services:\n  web: {image: "Nginx:Stable"}\n',
    'services:\n  web: {image: "nginx:Stable"}\n',
  ],
  ['keys without which nothing changes', `${web}    cgroup_parent: x\n    cpu_rt_runtime: 5\n`, web],
  [
    'what is given twice and says the same',
    `${web}    init: true\n    init: true\n    volumes: [data:/d, data:/d]\nvolumes: {data: }\n`,
    `${web}    init: true\n    volumes: [data:/d]\nvolumes: {data: }\n`,
  ],
  [
    'a name that no process can have',
    `${web}    depends_on: [a_name_that_is_longer_than_any_host]\n  a_name_that_is_longer_than_any_host:\n    image: postgres\n`,
    `${web}    depends_on: [a-name-that-is-longer-than-a]\n  a-name-that-is-longer-than-a:\n    container_name: "a_name_that_is_longer_than_any_host"\n    image: postgres\n`,
  ],
  [
    'two names that would be one',
    `${web}    links: ["my_app:other"]\n  my-app: {image: nginx}\n  my_app:\n    image: nginx\n`,
    `${web}    links: ["my-app-2:other"]\n  my-app: {image: nginx}\n  my-app-2:\n    container_name: "my_app"\n    image: nginx\n`,
  ],
  [
    'lines that end as on Windows',
    `${web}    ports: ["8080:80"]\n`.replaceAll('\n', '\r\n'),
    `${web}    ports: ["8080:80"]\n    labels:\n      rack.port.8080.protocol: http\n`.replaceAll(
      '\n',
      '\r\n',
    ),
  ],
  [
    'a file of version 1',
    'web:\n  image: nginx\n  ports: ["8080:80"]\n',
    'web:\n  image: nginx\n  ports: ["8080:80"]\n  labels:\n    rack.port.8080.protocol: http\n',
  ],
]

for (const [about, before, after] of table) {
  test(`mends ${about}, and that alone`, async () => {
    const { text, problems, changes, isAccepted } = await fixText(before)
    assert.equal(text, after)
    assert.ok(changes.length > 0)
    assert.equal(isAccepted, true, JSON.stringify(problems))
    assert.equal((await fixText(text)).texts.size, 0, 'a file that is mended stays as it is')
  })
}

/** The file stays, and what is wrong is still told. */
const left: [about: string, text: string, told: RegExp | null][] = [
  ['a key that is like nothing', `${web}    frobnicate: 1\n`, /unknown key "frobnicate"/],
  ['a key whose right spelling is there too', `${web}    imge: other\n`, /unknown key "imge"/],
  [
    'a volume that is nearly called like another',
    `${web}    volumes: [dta:/x]\nvolumes: {data: }\n`,
    /did you mean|not declared/,
  ],
  ['a port that speaks something else', `${web}    ports: ["5432:5432"]\n`, null],
  ['a port that nobody knows', `${web}    ports: ["7777:7777"]\n`, /tcp without a host name/],
  ['a path of the machine', `${web}    volumes: ["/srv/media:/media"]\n`, /policy does not allow/],
  [
    'what an alias says in several places',
    `x-v: &v\n  - /var/run/docker.sock:/s\n${web}    volumes: &w\n      - &sock /var/run/docker.sock:/s\n  two: {image: nginx, volumes: [*sock]}\n`,
    /docker.sock/,
  ],
  [
    'a merge key that brings labels',
    `x-l: &l\n  labels: {a: b}\n${web}    <<: *l\n    ports: ["8080:80"]\n`,
    /tcp without/,
  ],
  [
    'an item between comments on one line each',
    `${web}    volumes: [\n      data:/d, # the data\n      /var/run/docker.sock:/s, # the engine\n    ]\nvolumes: {data: }\n`,
    /docker.sock/,
  ],
  ['text that is no YAML', 'services: [\n', /./],
]

for (const [about, text, told] of left) {
  test(`leaves ${about}, and says so`, async () => {
    const fixed = await fixText(text)
    assert.equal(fixed.text, text)
    if (told) assert.ok(fixed.problems.some(({ message, hint }) => told.test(`${message} ${hint}`)))
  })
}

test('several files, and one that is included, are each mended where the mistake is', async () => {
  const { texts, isAccepted } = await fixSource({
    files: [
      { path: 'c.yml', text: `include: [more/x.yml]\n${web}` },
      { path: 'p.yml', text: 'services:\n  web:\n    restart: allways # here\n' },
    ],
    texts: { 'more/x.yml': 'services:\n  db:\n    image: postgres\n    restart: unless_stopped\n' },
    dotenv: null,
    contents: {},
  })
  assert.deepEqual(Object.fromEntries(texts), {
    'p.yml': 'services:\n  web:\n    restart: always # here\n',
    'more/x.yml': 'services:\n  db:\n    image: postgres\n    restart: unless-stopped\n',
  })
  assert.equal(isAccepted, true)
})

test('no comment on a line of its own is lost, and no line that is not told of', async () => {
  const text = `# head
services: # all
  # the site
  web:
    # from the registry
    image: nginx # stable
    # who may look
    volumes:
      # the engine
      - /var/run/docker.sock:/var/run/docker.sock
    ports:
      # for all
      - "8080:80"
# foot
`
  const { text: after } = await fixText(text)
  const comments = text.match(/^ *#.*$/gm) ?? []
  for (const comment of comments) assert.ok(after.includes(comment), comment)
})

test('hundreds of spoiled files: what is mended is read, a repeat changes nothing, and what is left is told', async () => {
  const corpus = readCorpus()
  for (let number = 0; number < 300; number += 1) {
    const { source, options } = hostileInput(corpus, 11, number)
    const fixed = await fixSource(source, options)
    const again = await fixSource(fixed.source, options)
    assert.equal(again.texts.size, 0, `seed 11, number ${number}`)
    const hasErrors = fixed.problems.some(({ severity }) => severity === 'error')
    assert.equal(fixed.isAccepted, !hasErrors, `seed 11, number ${number}`)
  }
})
