import type { BuiltImage } from './build.ts'
import type { Healthcheck } from './manifest.ts'

/** The configuration of an image, as registries and Docker have it. */
export interface ImageConfig {
  ExposedPorts?: Record<string, unknown> | null
  Env?: string[] | null
  User?: string
  Entrypoint?: string[] | null
  Cmd?: string[] | null
  WorkingDir?: string
  StopSignal?: string
  Volumes?: Record<string, unknown> | null
  Labels?: Record<string, string> | null
  /** What runs in an image that is built on this one. */
  OnBuild?: string[] | null
  Healthcheck?: {
    Test?: string[] | null
    /** Nanoseconds; zero takes the default. */
    Interval?: number
    Timeout?: number
    StartPeriod?: number
    Retries?: number
  } | null
}

/** What of an image says the configuration itself. */
export type ConfiguredImage = Omit<BuiltImage, 'reference' | 'digest'>

/** The part of an image's configuration that a plan or an engine reads. */
export function readImageConfig(Config: ImageConfig | null): ConfiguredImage {
  const variables = (Config?.Env ?? []).filter((pair) => pair.startsWith('LINK_'))
  return {
    exposed: Object.keys(Config?.ExposedPorts ?? {})
      .map(withProtocol)
      .sort(byNumber),
    link: Object.fromEntries(variables.map(splitPair)),
    user: Config?.User || null,
    entrypoint: said(Config?.Entrypoint),
    command: said(Config?.Cmd),
    workingDir: Config?.WorkingDir || null,
    stopSignal: Config?.StopSignal || null,
    healthcheck: readHealthcheck(Config?.Healthcheck),
    volumes: Object.keys(Config?.Volumes ?? {}).sort(),
  }
}

/** An empty vector says as little as none. */
function said(words: string[] | null | undefined): string[] | null {
  return words && words.length > 0 ? words : null
}

/** Docker's own defaults where the image says nothing. */
function readHealthcheck(found: ImageConfig['Healthcheck']): Healthcheck | null {
  const test = found?.Test ?? []
  if (!found || test.length === 0 || test[0] === 'NONE') return null
  const ms = (nanoseconds: number | undefined, otherwise: number) =>
    nanoseconds ? nanoseconds / 1e6 : otherwise
  return {
    test,
    intervalMs: ms(found.Interval, 30_000),
    timeoutMs: ms(found.Timeout, 30_000),
    retries: found.Retries ? found.Retries : 3,
    startPeriodMs: ms(found.StartPeriod, 0),
  }
}

const withProtocol = (port: string) => (port.includes('/') ? port : `${port}/tcp`)

const byNumber = (a: string, b: string) => Number.parseInt(a, 10) - Number.parseInt(b, 10)

function splitPair(pair: string): [string, string] {
  const at = pair.indexOf('=')
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
}
