/** What a process of a test does, step after step; the last step is its end or lasts until it is stopped. */
export type Step =
  | { do: 'print'; text: string }
  | { do: 'complain'; text: string }
  | { do: 'pause'; ms: number }
  | { do: 'exit'; code: number }
  /** Runs until stopped, listening on nothing. */
  | { do: 'sleep' }
  /** From here on a stop ends it with 0, as servers do that end in good order. */
  | { do: 'stops-well' }
  /** Listens and answers every HTTP request with the status, and 200 with the text, until stopped. */
  | { do: 'serve'; port: number; status: 200 | 404; text: string }
  /** Listens and sends back what comes over each connection until that ends, until stopped. */
  | { do: 'mirror'; port: number }
  /** Copies its input to its output until the input ends. */
  | { do: 'echo' }
  /** Prints the value of a variable. */
  | { do: 'show'; variable: string }
  /** Prints what a process of the app answers to a request over HTTP, or "nobody". */
  | { do: 'ask'; host: string; port: number }
  /** Prints the permission bits of a file, a space, and what is in it; a link is followed. */
  | { do: 'read'; path: string }

export const print = (text: string): Step => ({ do: 'print', text })
export const complain = (text: string): Step => ({ do: 'complain', text })
export const pause = (ms: number): Step => ({ do: 'pause', ms })
export const exit = (code: number): Step => ({ do: 'exit', code })
export const sleep: Step = { do: 'sleep' }
export const stopsWell: Step = { do: 'stops-well' }
export const serve = (port: number, status: 200 | 404 = 200): Step => answering(port, status, 'ok')
/** Says who answers. */
export const serveText = (port: number, text: string): Step => answering(port, 200, text)
export const mirror = (port: number): Step => ({ do: 'mirror', port })
export const echo: Step = { do: 'echo' }
export const show = (variable: string): Step => ({ do: 'show', variable })
export const ask = (host: string, port: number): Step => ({ do: 'ask', host, port })
export const read = (path: string): Step => ({ do: 'read', path })

function answering(port: number, status: 200 | 404, text: string): Step {
  return { do: 'serve', port, status, text }
}

/** The command that behaves so where the image has a shell and busybox. */
export function shellCommand(steps: Step[]): string[] {
  // As process 1 a shell gets no default action for SIGTERM: without the trap every stop would last its whole grace.
  return ['sh', '-c', ["trap 'exit 143' TERM", ...steps.map(shellStep)].join('\n')]
}

function shellStep(step: Step): string {
  switch (step.do) {
    case 'print':
      return `echo ${quote(step.text)}`
    case 'complain':
      return `echo ${quote(step.text)} >&2`
    case 'pause':
      return `sleep ${step.ms / 1000}`
    case 'exit':
      return `exit ${step.code}`
    case 'sleep':
      return 'while :; do sleep 3600 & wait $!; done'
    case 'stops-well':
      return "trap 'exit 0' TERM"
    case 'serve':
      return serveInShell(step)
    case 'mirror':
      return `nc -ll -p ${step.port} -e cat & wait $!`
    case 'echo':
      return 'cat'
    case 'show':
      return `echo "$${step.variable}"`
    case 'ask':
      return `timeout 5 wget -qO- http://${step.host}:${step.port}/ 2>/dev/null || echo nobody`
    case 'read':
      return `echo "$(stat -Lc %a ${quote(step.path)}) $(cat ${quote(step.path)})"`
  }
}

/** busybox answers 404 for an empty directory, and 200 when there is an index. */
function serveInShell({ port, status, text }: Extract<Step, { do: 'serve' }>): string {
  const index = status === 200 ? `echo ${quote(text)} > /tmp/www/index.html` : ':'
  return `mkdir -p /tmp/www; ${index}; httpd -f -p ${port} -h /tmp/www & wait $!`
}

const quote = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`

/** The command that behaves so in the in-memory engine: the steps as plain words. */
export function wordCommand(steps: Step[]): string[] {
  return steps.flatMap((step) => {
    switch (step.do) {
      case 'print':
      case 'complain':
        return [step.do, step.text]
      case 'pause':
        return ['pause', String(step.ms)]
      case 'exit':
        return ['exit', String(step.code)]
      case 'serve':
        return ['serve', String(step.port), String(step.status), step.text]
      case 'mirror':
        return ['mirror', String(step.port)]
      case 'show':
        return ['show', step.variable]
      case 'ask':
        return ['ask', step.host, String(step.port)]
      case 'read':
        return ['read', step.path]
      case 'sleep':
      case 'stops-well':
      case 'echo':
        return [step.do]
    }
  })
}
