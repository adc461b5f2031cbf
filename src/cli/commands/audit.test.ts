import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEntry, AuditProof, AuditQuery } from '../../domain/audit.ts'
import { RackError } from '../../domain/error.ts'
import { startMemoryRack } from '../../../test/support/memory-rack.ts'
import { typeCommand } from '../../../test/support/type-command.ts'

const entries: AuditEntry[] = [
  {
    id: 2,
    caller: 'alice',
    verb: 'promoteRelease',
    app: 'shop',
    subject: 'RAAAAAAAAAA',
    source: '192.0.2.1',
    request: 'one',
    begun: '2020-11-23T05:00:00.000Z',
    ended: null,
    outcome: null,
    place: 3,
  },
  {
    id: 1,
    caller: 'install\u001b[2J',
    verb: 'prune',
    app: null,
    subject: null,
    source: null,
    request: null,
    begun: '2020-11-23T04:00:00.000Z',
    ended: '2020-11-23T04:00:02.000Z',
    outcome: 'disk-full',
    place: 2,
  },
]

test('the audit is a table of who, what and how it ended', async () => {
  const asked: AuditQuery[] = []
  const rack = { listAudit: async (query: AuditQuery) => (asked.push(query), entries) }
  const { code, stdout } = await typeCommand(['audit'], { rack })
  assert.equal(code, 0)
  assert.match(stdout, /^WHEN +WHO +FROM +WHAT +APP +OF +TOOK +END\n/)
  assert.match(stdout, /\n\S.* ago  alice +192\.0\.2\.1 +promote release  shop  RAAAAAAAAAA  –  +–\n/)
  assert.match(stdout, /  install +– +prune +– +– +2 s +disk-full\n$/)
  const { stdout: json } = await typeCommand(['audit', '--limit', '2', '--json'], { rack })
  assert.deepEqual(JSON.parse(json), entries)
  await typeCommand(['audit', '--since', '2026-11-29', '--app', 'shop', '--actor', 'ci'], { rack })
  assert.deepEqual(asked, [
    { limit: 20 },
    { limit: 2 },
    { limit: 20, since: '2026-11-29T00:00:00.000Z', app: 'shop', actor: 'ci' },
  ])
  const { code: wrong, stderr } = await typeCommand(['audit', '--since', 'monday'], { rack })
  assert.equal(wrong, 2)
  assert.match(stderr, /"monday" is no time/)
})

test('whether the audit is as it was written is said, and ends with 1 where it is not', async () => {
  const proof: AuditProof = { entries: 3, fault: null }
  const rack = { verifyAudit: async () => proof }
  const good = await typeCommand(['audit', 'verify'], { rack })
  assert.deepEqual([good.code, good.stderr], [0, 'all 3 entries are as they were written\n'])
  proof.fault = { kind: 'altered', id: 2, detail: 'entry 2 is not as it was written' }
  const bad = await typeCommand(['audit', 'verify'], { rack })
  assert.deepEqual([bad.code, bad.stderr], [1, 'altered: entry 2 is not as it was written\n'])
  const json = await typeCommand(['audit', 'verify', '--json'], { rack })
  assert.deepEqual([json.code, JSON.parse(json.stdout)], [1, proof])
})

test('who follows the audit sees a call begin and end, each once, from now on', async () => {
  const [begins, before] = entries as [AuditEntry, AuditEntry]
  const ended = { ...begins, ended: '2020-11-23T05:00:04.000Z', outcome: 'done' as const, place: 4 }
  const many = Array.from({ length: 1000 }, (_, at): AuditEntry => ({ ...before, id: 3 + at, place: 5 + at }))
  const replies: AuditEntry[][] = [
    [before],
    [begins],
    [],
    [ended],
    many,
    [{ ...before, id: 1003, place: 1005 }],
  ]
  const asked: unknown[] = []
  const listAudit = async ({ after, limit, app }: AuditQuery) => {
    asked.push([after, limit, app])
    const reply = replies.shift()
    if (reply) return reply
    throw new RackError('unauthorized', 'the token "ci" was revoked')
  }
  const words = ['audit', '--follow', '--app', 'shop']
  const { code, stdout, stderr } = await typeCommand(words, { rack: { listAudit } })
  assert.equal(code, 1)
  assert.match(stderr, /was revoked/)
  const lines = stdout.trimEnd().split('\n')
  assert.deepEqual(lines.slice(0, 2), [
    '2020-11-23T05:00:00.000Z alice 192.0.2.1 promoteRelease shop RAAAAAAAAAA begins',
    '2020-11-23T05:00:04.000Z alice 192.0.2.1 promoteRelease shop RAAAAAAAAAA done',
  ])
  assert.equal(lines.length, 2 + 1001)
  // What never ends holds nothing up, and nothing of what is more than an answer holds is left out.
  const next = (after: number) => [after, 1000, 'shop']
  const places = [2, 3, 3, 4, 1004, 1005]
  assert.deepEqual(asked, [[undefined, 1000, undefined], ...places.map(next)])
})

test('an audit of nothing, and a limit that is none', async () => {
  const rack = { listAudit: async () => [] }
  assert.match((await typeCommand(['audit'], { rack })).stderr, /nobody has changed anything yet/)
  const { code, stderr } = await typeCommand(['audit', '--limit', 'many'], { rack })
  assert.equal(code, 1)
  assert.match(stderr, /error: .*limit: expected a whole number/)
})

test('what a command line does is in the audit of its rack', async () => {
  await using rack = await startMemoryRack()
  const type = (...args: string[]) => typeCommand(args, { door: rack.room.operations })
  await type('apps', 'create', 'shop')
  await type('env', 'set', 'TOKEN=hunter2', '--app', 'shop')
  await type('apps', 'create', 'shop')
  const { stdout } = await type('audit')
  assert.doesNotMatch(stdout, /hunter2/)
  const lines = stdout.trim().split('\n').slice(1)
  assert.deepEqual(
    lines.map((line) => line.replace(/^just now +writer +127\.0\.0\.1 +(\w+ \w+) +shop .* (\S+)$/, '$1: $2')),
    ['create app: exists', 'change environment: done', 'create app: done'],
  )
})
