import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose } from '../../test/support/compose.ts'

/** What would give a process the machine. */
const keys = {
  privileged: 'privileged: true',
  'a bind of the machine': 'volumes: ["/:/host"]',
  "the engine's socket": 'volumes: [{ type: bind, source: /var/run/docker.sock, target: /run/docker.sock }]',
  'its network': 'network_mode: host',
  'its processes': 'pid: host',
  'its memory': 'ipc: host',
  'a device': 'devices: ["/dev/sda:/dev/sda"]',
  'all capabilities': 'cap_add: [ALL]',
}

/** Ways by which a key comes to a process that does not show it. */
const ways: Record<
  string,
  (key: string) => { files: Record<string, string>; environment?: Record<string, string> }
> = {
  'of the process': (key) => ({ files: { 'c.yml': `services: { web: { image: x, ${key} } }\n` } }),
  'by extends': (key) => ({
    files: {
      'c.yml': `services:\n  base: { image: x, ${key}, profiles: [never] }\n  web: { extends: base, profiles: !reset [] }\n`,
    },
  }),
  'by extends of another file': (key) => ({
    files: {
      'c.yml': 'services: { web: { extends: { file: b.yml, service: base } } }\n',
      'b.yml': `services: { base: { image: x, ${key} } }\n`,
    },
  }),
  'by include': (key) => ({
    files: { 'c.yml': 'include: [b.yml]\n', 'b.yml': `services: { web: { image: x, ${key} } }\n` },
  }),
  'by an anchor': (key) => ({
    files: { 'c.yml': `x-base: &base { ${key} }\nservices: { web: { image: x, <<: *base } }\n` },
  }),
  'by a merge of merges': (key) => ({
    files: { 'c.yml': `x-a: &a { ${key} }\nx-b: &b { <<: [*a] }\nservices: { web: { <<: *b, image: x } }\n` },
  }),
  'by a variable': (key) => {
    const [, name = '', value = ''] = /^(\w+): (.*)$/.exec(key) ?? []
    const isText = !/^[[{]/.test(value)
    const written = isText ? '"${V}"' : value.replace(/"[^"]*"|\/var\/run\/docker\.sock|ALL/, '"${V}"')
    const hidden = /"([^"]*)"|(\/var\/run\/docker\.sock|ALL)/.exec(value)
    const V = isText ? value : (hidden?.[1] ?? hidden?.[2] ?? '')
    return {
      files: { 'c.yml': `services: { web: { image: x, ${name}: ${written} } }\n` },
      environment: { V },
    }
  },
}

for (const [way, made] of Object.entries(ways)) {
  test(`no process gets the machine ${way}`, () => {
    for (const [what, key] of Object.entries(keys)) {
      const { files, environment = {} } = made(key)
      const [[path, text] = ['', ''], ...others] = Object.entries(files)
      const { problems } = readCompose('', environment, {
        files: [{ path, text }],
        texts: Object.fromEntries(others),
      })
      const refusals = problems.filter((problem) => /refused|does not allow|not allowed|policy/.test(problem))
      assert.equal(refusals.length, 1, `${what}: ${problems.join('\n')}`)
    }
  })
}
