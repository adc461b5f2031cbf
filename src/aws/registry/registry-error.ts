/** What a registry answered when it did not give what was asked for. */
export class RegistryError extends Error {
  readonly status: number
  /** The specification's name, as `MANIFEST_UNKNOWN`; empty where it gave none. */
  readonly code: string
  constructor(message: string, status: number, code = '') {
    super(message)
    this.name = 'RegistryError'
    this.status = status
    this.code = code
  }
}

interface Told {
  errors?: { code?: string; message?: string }[]
}

/** The answer's own words; its body is read. */
export async function registryErrorOf(response: Response, what: string): Promise<RegistryError> {
  const text = (await response.text().catch(() => '')).slice(0, 4096)
  let told: Told = {}
  try {
    told = JSON.parse(text) as Told
  } catch {
    // Proxies answer by pages.
  }
  const [first] = told.errors ?? []
  const why = first?.message ?? `it answered ${response.status}`
  return new RegistryError(`${what}: ${why}`, response.status, first?.code ?? '')
}

export function isNotThere(error: unknown): boolean {
  return error instanceof RegistryError && error.status === 404
}
