import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Lints what has changed since all was good; everything where CI is set, where nothing is known, and when a rule or a
 * package has changed. What a change means for the types of other files is seen by `tsc`, and by CI.
 */
const root = join(import.meta.dirname, '..')
const stamp = join(root, '.cache/lint.stamp')
const settings = ['.oxlintrc.json', 'package-lock.json', 'tsconfig.json']
const command = ['--type-aware', '--report-unused-disable-directives', '--deny-warnings']

function changedMs(path: string): number {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** Null for all of them. */
function changedFiles(): string[] | null {
  const goodMs = changedMs('.cache/lint.stamp')
  if (process.env['CI'] || goodMs === 0 || settings.some((path) => changedMs(path) > goodMs)) return null
  const listed = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '*.ts', '*.mjs', '*.js']
  const files = execFileSync('git', listed, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 25 }).split('\0')
  return files.filter((path) => path !== '' && changedMs(path) > goodMs)
}

const started = new Date()
const files = changedFiles()
if (files?.length === 0) process.exit(0)
const { status } = spawnSync('oxlint', [...command, ...(files ?? [])], { cwd: root, stdio: 'inherit' })
mkdirSync(join(root, '.cache'), { recursive: true })
if (status === 0) {
  writeFileSync(stamp, '')
  utimesSync(stamp, started, started)
} else if (files === null) rmSync(stamp, { force: true })
process.exitCode = status ?? 1
