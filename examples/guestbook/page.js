const style = `
  :root { color-scheme: light dark; --ink: light-dark(#22201c, #ece7dc); --paper: light-dark(#faf6ec, #1b1a18);
    --card: light-dark(#fffdf7, #24221f); --line: light-dark(#e2d9c4, #3a362f); --soft: light-dark(#7a705c, #a39a87);
    --accent: light-dark(#a3401f, #f0936c); }
  * { box-sizing: border-box; margin: 0; }
  body { background: var(--paper); color: var(--ink); font: 1.05rem/1.6 Georgia, 'Iowan Old Style', serif; }
  main { max-width: 40rem; margin: 0 auto; padding: 4rem 1.25rem 3rem; }
  h1 { font-size: 2.4rem; font-weight: 500; line-height: 1.15; letter-spacing: -0.01em; overflow-wrap: anywhere; }
  .count { color: var(--soft); margin: 0.5rem 0 2rem; }
  form { display: grid; gap: 0.75rem; padding: 1.25rem; background: var(--card); border: 1px solid var(--line);
    border-radius: 10px; }
  input, textarea { width: 100%; padding: 0.6rem 0.75rem; font: inherit; color: inherit; background: var(--paper);
    border: 1px solid var(--line); border-radius: 6px; resize: vertical; }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
  button { justify-self: start; padding: 0.55rem 1.2rem; font: inherit; color: var(--paper); background: var(--accent);
    border: 0; border-radius: 6px; cursor: pointer; }
  ol { list-style: none; padding: 0; margin-top: 2.5rem; }
  li { padding: 1.25rem 0; border-top: 1px solid var(--line); }
  li p { white-space: pre-line; overflow-wrap: anywhere; }
  li footer { color: var(--soft); font-size: 0.9rem; }
  .waiting { opacity: 0.6; font-style: italic; }
  .empty { padding: 2rem 0; color: var(--soft); text-align: center; }
  body > footer { padding: 0 1.25rem 2rem; text-align: center; color: var(--soft);
    font: 0.8rem/1.5 ui-monospace, Menlo, monospace; }`

/** Renders the whole page; every word of a visitor is escaped. */
export function renderPage({ greeting, waiting, published, entries, words, release, host }) {
  const rows = [
    ...waiting.map((entry) => renderEntry(entry, true)),
    ...published.map((entry) => renderEntry(entry)),
  ]
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(greeting)}</title>
<style>${style}
</style>
<main>
  <h1>${escape(greeting)}</h1>
  <p class="count">${countOf(entries, 'entry', 'entries')}, ${countOf(words, 'word', 'words')} so far</p>
  <form method="post" action="/entries">
    <input name="name" maxlength="60" placeholder="Your name" aria-label="Your name" autocomplete="name">
    <textarea name="message" rows="3" maxlength="1000" required placeholder="A few words :)" aria-label="Message"></textarea>
    <button>Sign the book</button>
  </form>
  <ol>${rows.join('') || '<li class="empty">The first page is yours.</li>'}
  </ol>
</main>
<footer>release ${escape(release)} · served by ${escape(host)}</footer>
</html>
`
}

function renderEntry({ name, message, at }, isWaiting = false) {
  const day = at.slice(0, 16).replace('T', ' ')
  return `
    <li${isWaiting ? ' class="waiting"' : ''}>
      <p>${escape(message)}</p>
      <footer>${escape(name)}, <time datetime="${escape(at)}">${escape(day)}</time>${isWaiting ? ' · with the editor' : ''}</footer>
    </li>`
}

function countOf(count, one, many) {
  return `${count} ${count === 1 ? one : many}`
}

function escape(text) {
  const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return text.replace(/[&<>"']/g, (character) => entities[character])
}
