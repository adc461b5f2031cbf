import { mapCommands } from './map-changes.ts'
import { allRoutes, backendName, type Backend, type RouteTable } from './route-table.ts'

/**
 * Why a copy will come where there is none: its predecessor makes place for it, so that a request waits as long as it
 * may; or it has ended and is started again, so that nobody waits any more when that takes too long.
 */
export type DueReason = 'change' | 'restart'

/** By the name of the backend; of one that is not here nothing comes, and its requests are answered at once. */
export type DueCopies = ReadonlyMap<string, DueReason>

/** What HAProxy's own program is told of; the Runtime API changes it. */
export const duePath = (directory: string): string => `${directory}/due.map`

/** The backends of which a copy serves, or is about to. */
export function dueCopies(table: Pick<RouteTable, 'apps'>): DueCopies {
  const due = allRoutes(table).flatMap((route) => {
    const { isDue, holdMs, servers } = route.route.backend
    if (!holdMs || !(isDue || servers.length > 0)) return []
    return [[backendName(route), isDue ? 'change' : 'restart'] as const]
  })
  return new Map(due)
}

/** Commands that bring a running HAProxy's map to these: those by which requests begin to wait, and the others. */
export function dueCommands(
  path: string,
  wanted: DueCopies,
  known: ReadonlyMap<string, string>,
): { begin: string[]; end: string[] } {
  const begins = (command: string) => /^(add|set) map .* change$/.test(command)
  const commands = mapCommands(path, wanted, known)
  return { begin: commands.filter(begins), end: commands.filter((command) => !begins(command)) }
}

/** Lines of a backend that let a request wait, once it is counted and has passed all that could refuse it. */
export function holdRules(kind: 'http' | 'tcp', { holdMs }: Backend): string[] {
  if (!holdMs) return []
  if (kind === 'http') return [`http-request lua.hold ${holdMs} if { nbsrv eq 0 }`]
  // The program ends by itself; the delay ends it otherwise.
  return [
    `tcp-request inspect-delay ${holdMs + 1000}ms`,
    `tcp-request content lua.hold ${holdMs} if { nbsrv eq 0 }`,
  ]
}

/**
 * The program that HAProxy runs for a request that waits. A worker that is replaced hears of no new copy, and hands
 * over what waits. Many that wait ask less often.
 */
export function holdProgram(directory: string): string {
  return `local due = Map.new('${duePath(directory)}', Map._str)
local waits = {}

local function since(start)
  local now = core.now()
  return (now.sec - start.sec) * 1000 + math.floor((now.usec - start.usec) / 1000)
end

local function left(backend, limit, waited)
  local reason = due:lookup(backend)
  if reason == 'change' then return limit - waited end
  if reason ~= 'restart' then return 0 end
  local down = core.backends[backend]:get_stats().lastchg * 1000
  return limit - math.max(waited, down)
end

local function hold(txn, limit)
  local start = core.now()
  local backend = txn.f:be_name()
  local waited = 0
  while txn.f:nbsrv() == 0 and txn.f:stopping() ~= 1 and left(backend, tonumber(limit), waited) > 0 do
    core.msleep(math.max(25, math.floor(txn.f:be_conn() / 10)))
    waited = since(start)
  end
  -- Whoever it is handed to counts it.
  if waited == 0 or txn.f:stopping() == 1 then return end
  local known = waits[backend] or { count = 0, longest = 0 }
  waits[backend] = { count = known.count + 1, longest = math.max(known.longest, waited) }
end

core.register_action('hold', { 'http-req', 'tcp-req' }, hold, 1)

core.register_cli({ 'show', 'held' }, 'show held: by backend, what has waited, and the longest since it was asked', function(applet)
  for backend, known in pairs(waits) do
    applet:send(backend .. ' ' .. known.count .. ' ' .. known.longest .. '\\n')
    known.longest = 0
  end
end)
`
}
