/** A text by which a process, a build or a name tries to steer the terminal of whoever reads it. */
export interface TerminalText {
  attack: string
  text: string
  /** What a terminal is given of it. */
  shown: string
}

const escape = '\u001b'

/** One of each kind that a terminal obeys, in the long form and in the one-letter form of C1. */
export const terminalTexts: TerminalText[] = [
  { attack: 'colours', text: `a${escape}[31;1mb${escape}[0mc`, shown: 'abc' },
  { attack: 'hidden text', text: `a${escape}[8mb`, shown: 'ab' },
  { attack: 'the cursor to the top', text: `a${escape}[Hb`, shown: 'ab' },
  { attack: 'the cursor up, the line erased', text: `a${escape}[1A${escape}[2Kb`, shown: 'ab' },
  { attack: 'the screen erased', text: `a${escape}[2J${escape}[3Jb`, shown: 'ab' },
  { attack: 'the other screen', text: `a${escape}[?1049hb`, shown: 'ab' },
  { attack: 'pasting unbracketed', text: `a${escape}[?2004lb`, shown: 'ab' },
  { attack: 'reports of the mouse', text: `a${escape}[?1003hb`, shown: 'ab' },
  {
    attack: 'a question that the terminal types an answer to',
    text: `a${escape}[cb${escape}[6nc`,
    shown: 'abc',
  },
  { attack: 'a window resized', text: `a${escape}[8;1;1tb`, shown: 'ab' },
  { attack: 'the title, ended by BEL', text: `a${escape}]0;title\u0007b`, shown: 'ab' },
  { attack: 'the title, ended by ST', text: `a${escape}]2;title${escape}\\b`, shown: 'ab' },
  { attack: 'the clipboard', text: `a${escape}]52;c;cm0gLXJmIH4=\u0007b`, shown: 'ab' },
  {
    attack: 'the clipboard, without an end',
    text: `a${escape}]52;c;cm0gLXJmIH4=`,
    shown: 'a�]52;c;cm0gLXJmIH4=',
  },
  {
    attack: 'a link to elsewhere',
    text: `${escape}]8;;http://evil.example${escape}\\docs${escape}]8;;${escape}\\`,
    shown: 'docs',
  },
  { attack: 'a notice', text: `a${escape}]9;hello\u0007${escape}]777;notify;a;b\u0007b`, shown: 'ab' },
  { attack: 'a file by iTerm', text: `a${escape}]1337;File=name=YQ==:YQ==\u0007b`, shown: 'ab' },
  { attack: 'a colour table', text: `a${escape}]4;0;rgb:ff/ff/ff\u0007b`, shown: 'ab' },
  { attack: 'a device string', text: `a${escape}P1$r0m${escape}\\b`, shown: 'ab' },
  { attack: 'a picture', text: `a${escape}_Gf=24;AAAA${escape}\\b`, shown: 'ab' },
  {
    attack: 'a private message',
    text: `a${escape}^secret${escape}\\b${escape}Xstring${escape}\\c`,
    shown: 'abc',
  },
  { attack: 'a reset', text: `a${escape}cb`, shown: 'ab' },
  { attack: 'another character set', text: `a${escape}(0b`, shown: 'ab' },
  { attack: 'the cursor kept and put back', text: `a${escape}7b${escape}8c`, shown: 'abc' },
  { attack: 'C1: CSI', text: 'a\u009b2Jb', shown: 'ab' },
  { attack: 'C1: OSC', text: 'a\u009d52;c;YQ==\u009cb', shown: 'ab' },
  {
    attack: 'C1: DCS, SOS, PM, APC',
    text: 'a\u0090x\u009cb\u0098x\u009cc\u009ex\u009cd\u009fx\u009ce',
    shown: 'abcde',
  },
  { attack: 'C1: a next line, an index', text: 'a\u0085b\u0084c\u008dd', shown: 'a�b�c�d' },
  {
    attack: 'the line written over',
    text: 'error: refused\rall is well',
    shown: 'error: refused all is well',
  },
  { attack: 'letters taken back', text: 'rm\b\bls', shown: 'rm��ls' },
  { attack: 'a bell', text: 'a\u0007b', shown: 'a�b' },
  { attack: 'lines down', text: 'a\vb\fc', shown: 'a b c' },
  { attack: 'NUL and DEL', text: 'a\u0000b\u007fc', shown: 'a�b�c' },
  { attack: 'other letters', text: 'a\u000eb\u000fc', shown: 'a�b�c' },
  { attack: 'a line that is none', text: 'a\u2028b\u2029c', shown: 'a�b�c' },
  { attack: 'letters in reverse', text: 'a\u202eb\u202cc\u202ad\u202be\u202df', shown: 'a�b�c�d�e�f' },
  { attack: 'letters in reverse, isolated', text: 'a\u2066b\u2067c\u2068d\u2069e', shown: 'a�b�c�d�e' },
  { attack: 'marks of direction', text: 'a\u200eb\u200fc\u061cd', shown: 'a�b�c�d' },
  { attack: 'a sequence inside a sequence', text: `a${escape}${escape}[2J[2Jb`, shown: 'a�[2Jb' },
  { attack: 'a sequence over two lines', text: `a${escape}]0;x\ny\u0007b`, shown: 'a�]0;x\ny�b' },
  { attack: 'half a sequence at the end', text: `a${escape}[`, shown: 'a�[' },
]

/** Whether a terminal would obey something of it; `allowed` is what may be there, the rest of it must not be. */
export function steers(shown: string, allowed: string[] = []): boolean {
  const rest = allowed.reduce((text, sequence) => text.replaceAll(sequence, ''), shown)
  return /(?![\t\n])[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(rest)
}
