/** A file by which another tool deploys, and what does the same here. */
export interface OtherTool {
  file: string
  tool: string
  /** What to type or write, for each thing that the file says. */
  instead: string
}

const known: OtherTool[] = [
  {
    file: 'config/deploy.yml',
    tool: 'Kamal',
    instead:
      'servers become deploy.replicas, accessories processes of the compose file, proxy.healthcheck.path the label rack.health.path, ' +
      'env.secret `rack env set`; kamal deploy is `rack deploy`, kamal rollback `rack releases rollback`, kamal app exec `rack run`',
  },
  {
    file: 'DOKKU_SCALE',
    tool: 'Dokku',
    instead: 'its counts become deploy.replicas, and later `rack scale web=2`',
  },
  {
    file: 'CHECKS',
    tool: 'Dokku',
    instead: 'its path becomes the label rack.health.path, WAIT and ATTEMPTS rack.health.interval and .grace',
  },
  {
    file: 'app.json',
    tool: 'Dokku and Heroku',
    instead:
      'predeploy and release scripts become the label rack.release.command, cron entries labels rack.cron.NAME, env `rack env set`',
  },
  {
    file: 'nginx.conf.sigil',
    tool: 'Dokku',
    instead:
      'the rack routes by host name itself; limits and passwords are the labels rack.allow and rack.auth',
  },
]

/** The files of other tools that lie beside a compose file. */
export function otherToolsIn(directory: string): OtherTool[] {
  const { existsSync } = process.getBuiltinModule('node:fs')
  const path = process.getBuiltinModule('node:path')
  return known.filter(({ file }) => existsSync(path.join(directory, file)))
}

/** A sentence for each. */
export function otherToolText({ file, tool, instead }: OtherTool): string {
  return `${file} is ${tool}'s and has no effect: ${instead}`
}
