const scheme = /^unix:\/*(?=\/)/

/** `unix:/var/lib/rack/rack/api.sock` for the path of a Unix socket. */
export function unixUrl(path: string): string {
  return `unix:${path}`
}

/** The path of such an address, also with two more slashes; null for any other address. */
export function unixPath(url: string): string | null {
  return scheme.test(url) ? url.replace(scheme, '') : null
}
