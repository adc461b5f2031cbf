import { stringify } from 'yaml'

/**
 * A compose file of one process that runs a ready image.
 * @param port at which it serves HTTP; null where it serves nothing
 */
export function composeOfImage(image: string, port: string | null): string {
  const web = { image, ...(port !== null && { ports: [`80:${port}`] }) }
  // A dollar is meant as such.
  return stringify({ services: { web } }).replaceAll('$', '$$$$')
}
