import assert from 'node:assert/strict'
import { cp, mkdir, mkdtempDisposable, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { checkImports } from './check.ts'

const root = join(import.meta.dirname, '../..')

/** Checks a small house made of these files, with this one's packages. */
async function checkHouse(files: Record<string, string>) {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'import-rules-'))
  await symlink(join(root, 'node_modules'), join(directory.path, 'node_modules'))
  await cp(join(root, 'tsconfig.json'), join(directory.path, 'tsconfig.json'))
  for (const folder of ['src', 'test', 'scripts', 'bench']) await mkdir(join(directory.path, folder))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(directory.path, dirname(path)), { recursive: true })
    await writeFile(join(directory.path, path), text)
  }
  return await checkImports(directory.path)
}

const noun = { 'src/domain/noun.ts': 'export interface Noun { name: string }\nexport const one = 1\n' }

test('a house in order has nothing to say, and its imports were seen', async () => {
  const report = await checkHouse({
    ...noun,
    'src/operations/verb.ts': "import { one } from '../domain/noun.ts'\nexport const two = one + one\n",
    'src/client/contract.ts': "import { z } from 'zod'\nexport const contract = z.string()\n",
    'src/api/routes.ts': "import { contract } from '../client/contract.ts'\nexport const route = contract\n",
    'src/client/call.ts':
      "import type { contract } from './contract.ts'\nexport type Call = typeof contract\n",
    'src/main/cli.ts': "import type { Call } from '../client/call.ts'\nawait import('../cli/check.ts')\n",
    'src/cli/check.ts': "import { read } from '../manifest/read.ts'\nread('')\n",
    'src/manifest/read.ts': "export { parse as read } from 'yaml'\n",
    'src/main/all.ts': "import { two } from '../operations/verb.ts'\nexport const four = two + two\n",
    'src/operations/verb.test.ts':
      "import assert from 'node:assert'\nimport fc from 'fast-check'\nassert(fc)\n",
    'src/lib/bytes.ts': "import { join } from 'node:path'\nexport const here = join('a')\n",
  })
  assert.deepEqual(report.problems, [])
  assert.ok(report.imports >= 6, `only ${report.imports} imports seen`)
})

const forbidden: [name: string, file: string, text: string, rule: RegExp][] = [
  ['the domain imports the store', 'src/domain/a.ts', "import '../store/b.ts'", /src\/domain-imports-beyond/],
  [
    'a type counts',
    'src/domain/a.ts',
    "import type { B } from '../store/b.ts'",
    /src\/domain-imports-beyond/,
  ],
  ['lazily counts', 'src/cli/a.ts', "await import('../store/b.ts')", /src\/cli-imports-beyond/],
  ['again as export', 'src/cli/a.ts', "export { b } from '../store/b.ts'", /src\/cli-imports-beyond/],
  ['the api reads the client', 'src/api/a.ts', "import '../client/call.ts'", /src\/api-imports-beyond/],
  ['one engine imports another', 'src/engines/aws/a.ts', "import '../docker/c.ts'", /aws-imports-beyond/],
  ['lib hears of Rack', 'src/lib/a.ts', "import '../domain/noun.ts'", /src\/lib-imports-beyond/],
  ['a package strays', 'src/cli/a.ts', "import pg from 'pg'", /pg-leaves-its-room/],
  ['its types stray', 'src/cli/a.ts', "import type pg from 'pg'", /pg-leaves-its-room/],
  ['a scoped one strays', 'src/cli/a.ts', "import '@fastify/swagger'", /@fastify\/\*-leaves-its-room/],
  ['a package nobody placed', 'src/cli/a.ts', "import fc from 'fast-check'", /a-package-without-a-room/],
  ['src imports test', 'src/cli/a.ts', "import '../../test/t.ts'", /src-imports-its-tests/],
  ['Node in the domain', 'src/domain/a.ts', "import 'node:fs'", /a-pure-room-reaches-node/],
  ['Node behind lib', 'src/manifest/a.ts', "import { x } from '../lib/io.ts'", /lib\/io\.ts -> node:fs/],
  ['a new folder', 'src/utils/a.ts', "import '../lib/io.ts'", /a-file-without-a-room/],
  ['beside a using', 'src/cli/a.ts', "using a = await import('../store/b.ts')", /src\/cli-imports-beyond/],
  [
    'in a loop of usings',
    'src/cli/a.ts',
    "for (await using a of []) { await import('../store/b.ts') }",
    /src\/cli-imports-beyond/,
  ],
  [
    'zod in every command',
    'src/client/a.ts',
    "export { z } from './contract.ts'",
    /a-slow-start: src\/client/,
  ],
  [
    'yaml in every command',
    'src/main/cli.ts',
    "import { y } from '../manifest/y.ts'",
    /cli\.ts -> .*y\.ts -> yaml/,
  ],
  [
    'swagger in the daemon',
    'src/main/daemon.ts',
    "import '../api/s.ts'",
    /daemon\.ts -> .*s\.ts -> @fastify\/swagger/,
  ],
  ['a circle', 'src/store/c.ts', "import './d.ts'", /a-circle/],
  ['a circle of types', 'src/store/c.ts', "export type { D } from './d.ts'", /a-circle/],
  ['a missing file', 'src/store/a.ts', "import './gone.ts'", /an-import-of-nothing/],
]

const others = {
  ...noun,
  'src/store/b.ts': 'export interface B { id: string }\nexport const b = 1\n',
  'src/store/d.ts': "import type { c } from './c.ts'\nexport type D = typeof c\n",
  'src/store/c.ts': 'export const c = 1\n',
  'src/client/contract.ts': "export { z } from 'zod'\n",
  'src/manifest/y.ts': "export { parse as y } from 'yaml'\n",
  'src/api/s.ts': "import '@fastify/swagger'\n",
  'src/engines/docker/c.ts': 'export const c = 1\n',
  'src/client/call.ts': 'export const call = 1\n',
  'src/lib/io.ts': "import { readFileSync } from 'node:fs'\nexport const x = readFileSync\n",
  'test/t.ts': 'export const t = 1\n',
}

for (const [name, file, text, rule] of forbidden) {
  test(`caught: ${name}`, async () => {
    const before = await checkHouse(others)
    assert.deepEqual(before.problems, [])
    const { problems } = await checkHouse({ ...others, [file]: `${text}\n` })
    assert.equal(problems.length > 0, true, 'the planted import was not seen')
    assert.match(problems.join('\n'), rule)
    assert.doesNotMatch(problems.join('\n'), /undefined/, 'each rule gives its reason')
  })
}
