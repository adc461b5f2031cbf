import type { ProcessType } from './manifest.ts'

/** What a rack has found out of a raw tcp port that may be a web page: a copy was asked when it had become live. */
export interface NoticedPort {
  process: string
  /** On which the process listens. */
  port: number
  /** Whose copy was asked. */
  build: string
  speaksHttp: boolean
  /** Whether what is live serves it by name; a change of what is live begins to, or ends it. */
  isServed: boolean
}

/** The web port that a type gets beside its raw one, which stays as it is. */
export function withNoticedPorts(types: ProcessType[], noticed: NoticedPort[]): ProcessType[] {
  return types.map((type) => {
    const found = noticed.find(
      ({ process, port }) => process === type.name && port === type.nameless?.container,
    )
    if (!found) return type
    const { port: container } = found
    const web = {
      external: 80,
      container,
      protocol: 'http',
      proxy: false,
      secure: false,
      isNoticed: true,
    } as const
    return { ...type, ports: [...type.ports, web] }
  })
}
