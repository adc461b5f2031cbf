import { dockerFeatures } from '../../domain/docker-features.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SourcePlace } from '../../domain/manifest.ts'
import { printManifest } from '../print-manifest.ts'
import { readManifest } from '../read-manifest.ts'
import { strictPolicy } from '../../domain/policy.ts'

/** As many keys as one file can have without contradicting itself. */
const text = `services:
  web:
    build: { dockerfile_inline: "FROM x", network: none, labels: [a=b], extra_hosts: ["a:1.2.3.4"], shm_size: 1m, ulimits: { nofile: { soft: 1, hard: 2 } }, additional_contexts: { a: ./lib, b: "docker-image://x:1", c: "service:other" }, secrets: [{ source: e, target: i }, b], ssh: [default, git=keys/git] }
    hostname: h
    domainname: d.e
    group_add: [mail, 5]
    cap_add: [NET_ADMIN]
    cap_drop: [ALL]
    privileged: true
    devices: [/dev/fuse, "/dev/a:/dev/b:rw"]
    device_cgroup_rules: ["c 189:* rmw"]
    gpus: [{ driver: nvidia, device_ids: ["0"], capabilities: [utility] }]
    ipc: host
    ports: ["80:3000", "127.0.0.1:5432:5432", 6000]
    userns_mode: host
    extra_hosts: ["up:host-gateway"]
    read_only: true
    security_opt: [seccomp=unconfined]
    shm_size: 1000001
    sysctls: [net.core.somaxconn=5]
    ulimits: { nofile: { soft: 1, hard: 2 }, nproc: -1 }
    pids_limit: 7
    oom_score_adj: -5
    dns: 1.1.1.1
    dns_search: [a.b]
    dns_opt: ["ndots:1"]
    tty: true
    stdin_open: true
    volumes: ["v:/d:nocopy", "/srv/x:/y:ro", "./html:/html", "./data:/kept", "../up:/up:ro", "./.env:/app/.env", { type: tmpfs, target: /t, tmpfs: { size: 5000, mode: 0700 } }, /anon]
    tmpfs: ["/u:uid=5,ro,exec"]
    secrets: [{ source: s, mode: 0400, uid: 3 }, e]
    configs: [{ source: c, target: /run/configs/c }]
    container_name: cn
    networks: { default: { aliases: [al] } }
    depends_on: { db: { condition: service_started, restart: true } }
    deploy: { replicas: 3, update_config: { parallelism: 1, order: stop-first } }
    logging: { driver: json-file }
  db: { image: x, volumes_from: ["other:ro"] }
  other: { image: x, pull_policy: missing, volumes: ["v:/w"] }
volumes: { v: }
secrets: { s: { file: s }, e: { environment: E }, b: { file: b } }
configs: { c: { content: "a$$b" } }
`

const places: Record<string, SourcePlace> = { html: { holds: 'folder' }, '.env': { holds: 'withheld' } }

test('what is read of every option, mount and file is printed so that it reads back the same', () => {
  const options = {
    environment: { E: 'x', SSH_KEY: 'k' },
    features: dockerFeatures,
    policy: { ...strictPolicy, binds: ['/srv'], privileged: true },
  }
  const read = (one: string) =>
    readManifest(
      {
        files: [{ path: 'c.yml', text: one }],
        dotenv: null,
        texts: {},
        contents: { s: 'QQ==', b: 'Qg==', 'keys/git': 'Qw==', '.env': 'QQ==' },
        places,
      },
      options,
    )
  const { manifest, problems } = read(text)
  assert.ok(manifest, JSON.stringify(problems))
  const printed = printManifest(manifest)
  const again = read(printed)
  assert.deepEqual(again.manifest, manifest)
  assert.equal(printManifest(again.manifest ?? manifest), printed)
})
