import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { glob, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { questionsOf } from '../../src/account/asked-actions.ts'
import { installerPermissions } from '../../src/account/installer-policy.ts'
import { judgedOn } from '../../src/account/judged-on.ts'
import { engineActions } from '../support/engine-actions.ts'
import { stackCalls } from '../support/stack-calls.ts'
import { SetupError } from '../../scripts/steps/progress.ts'
import { ensurePython, pythonProgram } from '../../scripts/steps/python.ts'

/** `npm run test:cfn-lint`: AWS's own reading of templates (cfn-lint) on every one that is a golden file. */
const root = join(import.meta.dirname, '../..')
const program = pythonProgram('cfn-lint')
const pythonHome = join(program, '../..')

/** Warnings that are meant, by rule. */
const accepted: Record<string, string> = {
  W1011:
    'the password of a database is a parameter that no stack shows (NoEcho): the rack makes it and keeps it',
  E3691: 'the same of versions of MySQL, of which the rule knows none by its first numbers alone',
  W3691:
    'a major version alone is the newest minor one of the account; the rule knows every such version as an old one',
}

/** `FILE:LINE:COLUMN:LINE:COLUMN:RULE:TEXT`. */
const ruleOf = (line: string) => line.split(':')[5] ?? ''

/** Why there is no cfn-lint: a machine that reaches no PyPI has none, which is no fault of a template. Asked for by name it is needed. */
const isAskedFor = process.env['npm_lifecycle_event'] === 'test:cfn-lint'
let missing: string | false = false
before(async () => {
  try {
    await ensurePython('cfn-lint')
    assert.ok(existsSync(program), `${program} is not there: scripts/setup --test`)
  } catch (error) {
    if (isAskedFor || !(error instanceof SetupError) || (await isPyPIThere())) throw error
    missing = `cfn-lint cannot be had from PyPI: ${error.message}`
  }
})

async function isPyPIThere(): Promise<boolean> {
  const signal = AbortSignal.timeout(10_000)
  const asked = fetch('https://pypi.org/simple/pip/', { method: 'HEAD', signal })
  return await asked.then(
    ({ ok }) => ok,
    () => false,
  )
}

test('every golden template is one that CloudFormation takes', async (t) => {
  if (missing) return t.skip(missing)
  const files = (await Array.fromAsync(glob('test/golden/**/*.json', { cwd: root }))).filter(isTemplate)
  t.diagnostic(`${files.length} templates: ${files.join(', ')}`)
  assert.ok(files.length >= 2, `only ${files.length} templates were found`)
  const found = Object.groupBy(await lint(files), (line) => (ruleOf(line) in accepted ? 'accepted' : 'other'))
  assert.deepEqual(found.other ?? [], [])
  const rules = new Set((found.accepted ?? []).map(ruleOf))
  assert.deepEqual([...rules].toSorted(), Object.keys(accepted).toSorted(), 'accepted, and said of none')
})

test('what each action of an installation is judged on is what AWS judges it on', async (t) => {
  if (missing) return t.skip(missing)
  const [file] = await Array.fromAsync(
    glob('lib/*/site-packages/cfnlint/data/AdditionalSpecs/Policies.json', { cwd: pythonHome }),
  )
  const services = JSON.parse(readFileSync(join(pythonHome, file!), 'utf8')) as Policies
  const scope = { rack: 'shop', region: 'eu-west-1', account: '123456789012' }
  const asked = questionsOf(installerPermissions(scope), scope).flatMap(({ actions }) => actions)
  const wrong: string[] = []
  const ofStacks = await stackCalls('*-stack.json')
  for (const action of new Set([...asked, ...ofStacks, ...(await engineActions())])) {
    const [name = '', verb = ''] = action.split(':')
    const service = services[name]
    const listed = service?.Actions[verb.toLowerCase()]
    if (!listed) wrong.push(`${action} is no action`)
    const formats = (listed?.Resources ?? []).flatMap(
      (kind) => service!.Resources[kind.toLowerCase()]!.ARNFormats,
    )
    for (const resource of judgedOn(action, scope)) {
      if (resource !== '*' && !formats.some((format) => isOf(format, resource)))
        wrong.push(`${action} is not judged on ${resource}`)
    }
  }
  assert.deepEqual(wrong, [])
})

/** AWS's service authorization reference, as cfn-lint has it; verbs and kinds in small letters. */
type Policies = Record<
  string,
  {
    Actions: Record<string, { Resources?: string[] }>
    Resources: Record<string, { ARNFormats: string[] }>
  }
>

const isOf = (format: string, arn: string) =>
  new RegExp(`^${format.replaceAll(/\$\{\w+\}/g, '[a-z0-9-]+')}$`).test(arn)

test('what CloudFormation would refuse is found: a property, an attribute, a size', async (t) => {
  if (missing) return t.skip(missing)
  const directory = await mkdtemp(join(tmpdir(), 'cfn-lint-'))
  try {
    const file = join(directory, 'planted.json')
    await writeFile(file, JSON.stringify(planted))
    const found = (await lint([file])).join('\n')
    for (const what of [
      /'Retention' was unexpected/,
      /'256' is not compatible .*'300'/,
      /'Colour' is not one of/,
    ])
      assert.match(found, what)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})

const planted = {
  Resources: {
    Logs: { Type: 'AWS::Logs::LogGroup', Properties: { Retention: 30 } },
    Task: {
      Type: 'AWS::ECS::TaskDefinition',
      Properties: {
        Cpu: '256',
        Memory: '300',
        NetworkMode: 'awsvpc',
        RequiresCompatibilities: ['FARGATE'],
        ContainerDefinitions: [{ Name: 'main', Image: 'busybox' }],
      },
    },
  },
  Outputs: { Colour: { Value: { 'Fn::GetAtt': ['Logs', 'Colour'] } } },
}

function isTemplate(file: string): boolean {
  const value: unknown = JSON.parse(readFileSync(join(root, file), 'utf8'))
  return typeof value === 'object' && value !== null && 'Resources' in value
}

/** What it says of templates, a line each. */
async function lint(files: string[]): Promise<string[]> {
  const args = ['--format', 'parseable', '--regions', 'eu-west-1', '--', ...files]
  return await new Promise((resolve, reject) => {
    execFile(program, args, { cwd: root, timeout: 50_000 }, (error, stdout, stderr) => {
      // It ends with the kinds of what it found, as bits: 2 errors, 4 warnings, 8 information.
      const isVerdict = error === null || (typeof error.code === 'number' && error.code < 16)
      if (!isVerdict || stderr !== '') reject(new Error(`cfn-lint: ${stderr}`, { cause: error }))
      else resolve(stdout.split('\n').filter((line) => line !== ''))
    })
  })
}
