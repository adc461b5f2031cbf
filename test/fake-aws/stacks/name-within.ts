/**
 * S: what CloudFormation calls a resource where its service takes no long names: the end stays, and stack and resource
 * share the rest, of which one that needs less leaves the other more.
 */
export function nameWithin(
  most: number,
  { stack, resource, token }: { stack: string; resource: string; token: string },
): string {
  const room = most - token.length - 2
  const half = Math.floor(room / 2)
  const ofStack = Math.max(half, room - resource.length)
  const ofResource = Math.max(room - half, room - stack.length)
  return [stack.slice(0, ofStack), resource.slice(0, ofResource), token].join('-').replaceAll(/-{2,}/g, '-')
}
