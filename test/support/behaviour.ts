/** What a process of a test does, step after step; the last step is its end or lasts until it is stopped. */
export type Step =
  | { do: 'print'; text: string }
  | { do: 'complain'; text: string }
  | { do: 'pause'; ms: number }
  | { do: 'exit'; code: number }
  /** Runs until stopped, listening on nothing. */
  | { do: 'sleep' }
  /** Listens and answers every HTTP request with the status, until stopped. */
  | { do: 'serve'; port: number; status: 200 | 404 }
  /** Copies its input to its output until the input ends. */
  | { do: 'echo' }
  /** Prints the value of a variable. */
  | { do: 'show'; variable: string }
  /** Prints the permission bits of a file, a space, and what is in it. */
  | { do: 'read'; path: string }

export const print = (text: string): Step => ({ do: 'print', text })
export const complain = (text: string): Step => ({ do: 'complain', text })
export const pause = (ms: number): Step => ({ do: 'pause', ms })
export const exit = (code: number): Step => ({ do: 'exit', code })
export const sleep: Step = { do: 'sleep' }
export const serve = (port: number, status: 200 | 404 = 200): Step => ({ do: 'serve', port, status })
export const echo: Step = { do: 'echo' }
export const show = (variable: string): Step => ({ do: 'show', variable })
export const read = (path: string): Step => ({ do: 'read', path })

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
    case 'serve':
      return serveInShell(step.port, step.status)
    case 'echo':
      return 'cat'
    case 'show':
      return `echo "$${step.variable}"`
    case 'read':
      return `echo "$(stat -c %a ${quote(step.path)}) $(cat ${quote(step.path)})"`
  }
}

/** busybox answers 404 for an empty directory, and 200 when there is an index. */
function serveInShell(port: number, status: 200 | 404): string {
  const index = status === 200 ? 'echo ok > /tmp/www/index.html' : ':'
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
        return ['serve', String(step.port), String(step.status)]
      case 'show':
        return ['show', step.variable]
      case 'read':
        return ['read', step.path]
      case 'sleep':
      case 'echo':
        return [step.do]
    }
  })
}
