import type { DockerfileFacts } from './dockerfile.ts'
import type { Procfile } from './procfile.ts'

/** What a first compose file is made from. */
export interface StarterInput {
  /** Without faults, and with at least one process; null when there is none. */
  procfile: Pick<Procfile, 'processes' | 'release'> | null
  /** Null when there is none. */
  dockerfile: DockerfileFacts | null
  /** The port that the app listens on where it is known, such as PORT of `.env`. */
  port: number | null
}

const usualPort = 3000

/** A compose file for a person to go on from: few keys, and comments that say what else there is. */
export function starterFile(input: StarterInput): string {
  const lines = input.procfile ? fromProcfile(input.procfile, input) : fromDockerfile(input)
  return `${lines.join('\n')}\n`
}

function fromProcfile(
  { processes, release }: Pick<Procfile, 'processes' | 'release'>,
  input: StarterInput,
): string[] {
  const serving = processes.find(({ name }) => name === 'web') ?? processes[0]
  return [
    '# The processes of this app, made from its Procfile. What a rack makes of them: rack manifest check',
    ...(input.dockerfile ? [] : ['# All are built from a Dockerfile, which is still to be written.']),
    'services:',
    ...processes.flatMap((line, index) => [
      ...(index === 0 ? [] : ['']),
      `  ${line.name}:${line.name === line.original ? '' : ` # ${line.original} in the Procfile`}`,
      '    build: .',
      `    command: ${commandText(line.command)}`,
      ...(line.name === 'web' ? portLines(input) : []),
      ...(line === serving && release !== null ? releaseLines(release) : []),
      ...(line === serving
        ? hints(input, { hasPort: line.name === 'web', hasLabels: release !== null })
        : []),
    ]),
    ...readyImage,
  ]
}

function fromDockerfile(input: StarterInput): string[] {
  return [
    '# The process of this app, made from its Dockerfile. What a rack makes of it: rack manifest check',
    'services:',
    '  web:',
    '    build: .',
    ...portLines(input),
    ...hints(input, { hasPort: true, hasLabels: false }),
    '',
    '  # The same image with another command, when there is work to do in the background:',
    '  # worker:',
    '  #   build: .',
    '  #   command: bin/worker',
    ...readyImage,
  ]
}

/** What is not built here takes the variables that it names, so that a change of others does not restart it. */
const readyImage = [
  '',
  '  # A ready image beside it. It is given the variables that its own `environment:` names: others do not restart it.',
  '  # cache:',
  '  #   image: redis:7',
  '  #   labels:',
  '  #     rack.environment: declared',
]

/** The first port takes traffic; others that the image exposes are for the processes of the app. */
function portLines({ procfile, dockerfile, port }: StarterInput): string[] {
  const exposed = dockerfile?.ports ?? []
  const main = port ?? exposed[0] ?? usualPort
  const guess = port === null && exposed.length === 0 && !procfile
  return [
    ...(guess
      ? ['    # The Dockerfile names no port under EXPOSE: write the one that the process listens on.']
      : []),
    '    ports:',
    `      - "80:${main}" # the rack listens on 80, the process on ${main}, which it also finds in PORT`,
    ...exposed.filter((one) => one !== main).map((one) => `      - "${one}" # inside the app only`),
  ]
}

function releaseLines(command: string): string[] {
  return [
    '    labels:',
    '      # Runs once, of the new release, before traffic moves.',
    `      rack.release.command: ${quoted(command)}`,
  ]
}

/** What a person is likely to want next, as comments that hold when their `#` goes. */
function hints({ dockerfile }: StarterInput, given: { hasPort: boolean; hasLabels: boolean }): string[] {
  return [
    ...(given.hasPort ? healthHints(dockerfile?.hasHealthcheck ?? false, given.hasLabels) : []),
    ...volumeHints(dockerfile?.volumes ?? []),
    '    # Variables that the app must have before a release is promoted: rack env set DATABASE_URL=…',
    '    # environment:',
    '    #   - DATABASE_URL',
    '    # For the first deploy; afterwards rack scale.',
    '    # deploy:',
    '    #   replicas: 2',
    '    #   resources:',
    '    #     limits:',
    '    #       memory: 512M',
  ]
}

function healthHints(hasHealthcheck: boolean, hasLabels: boolean): string[] {
  if (hasHealthcheck) return ["    # The image's HEALTHCHECK decides when a copy serves."]
  return [
    '    # A copy serves once its port takes connections; with a path, once that answers 2xx or 3xx.',
    ...(hasLabels ? [] : ['    # labels:']),
    '    #   rack.health.path: /health',
  ]
}

function volumeHints(paths: string[]): string[] {
  if (paths.length === 0) return []
  return [
    '    # Data that is to outlive a copy; the name stands under `volumes:` at the end of the file too.',
    '    # volumes:',
    ...paths.map((path) => `    #   - ${quoted(`data:${path}`)}`),
  ]
}

/** A command as a compose file has it: in a shell only where it needs one. */
function commandText(command: string): string {
  if (!/[$&|;<>`*?~#(){}[\]!\\"']|^\w+=/.test(command)) return isPlain(command) ? command : quoted(command)
  const isSimple = !/[&|;`(){}\n]|^\w+=|^(exec|cd|export|source|\.) /.test(command)
  return `["sh", "-c", ${quoted(isSimple ? `exec ${command}` : command)}]`
}

/** What YAML takes for text without quotes. */
function isPlain(text: string): boolean {
  return /^[A-Za-z/][\w ./=+-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text)
}

/** JSON's quotes are YAML's; a dollar is doubled, since a single one would be a variable of the file. */
function quoted(text: string): string {
  return JSON.stringify(text.replaceAll('$', '$$$$'))
}
