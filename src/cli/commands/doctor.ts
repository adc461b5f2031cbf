import { RackError } from '../../domain/error.ts'
import { examine, type Finding } from '../../host/doctor.ts'
import type { Installation } from '../../host/installation.ts'
import type { CommandSpec } from '../command-spec.ts'
import { findInstallation } from '../find-installation.ts'
import type { Session } from '../session.ts'

/** `rack doctor`. */
export const doctor: CommandSpec = {
  name: 'doctor',
  summary: 'what is wrong with this machine and its rack, and what to type',
  description: 'Changes nothing. The exit code is 1 when something is bad.',
  examples: ['doctor', 'doctor --rack demo --json'],
  options: [{ flags: '--dir <directory>', meaning: 'where the rack lies' }],
  needs: 'rack',
  async run(session) {
    const { output, isJson } = session
    const findings = await examine(await installationOrNull(session))
    if (isJson) output.json(findings)
    else for (const finding of findings) output.data(describe(session, finding))
    return findings.some(({ status }) => status === 'bad') ? 1 : 0
  },
}

function describe({ output }: Session, { check, status, detail, fix }: Finding): string {
  const { green, yellow, red } = output.colors.data
  const mark = { good: green('ok  '), warning: yellow('warn'), bad: red('BAD ') }[status]
  const line = `${mark} ${check.padEnd(13)} ${detail}`
  return fix ? `${line}\n                   → ${fix}` : line
}

/** A machine can be looked at before it has a rack. */
async function installationOrNull(session: Session): Promise<Installation | null> {
  try {
    return await findInstallation(session)
  } catch (error) {
    const isNamed = session.options.text('rack') ?? session.options.text('dir')
    if (error instanceof RackError && error.code === 'not-found' && isNamed === undefined) return null
    throw error
  }
}
