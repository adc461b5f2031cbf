package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The other end is the engine, over the session of an exec. What goes out passes the agent of ECS, which cuts it as UTF-8
// and loses what is none: so all is lines of ASCII. The agent runs this on a terminal, which is made raw.
//
//	out:  ready | 1 BASE64 | 2 BASE64 | took N | exit N | failed CODE BASE64
//	in:   order BASE64 | 0 BASE64 | end | size ROWS COLUMNS | took N | here | bye
type link struct {
	reader *bufio.Reader
	writer io.Writer
	// One line at a time.
	writing sync.Mutex
	// What is under way to the other end and not yet taken there.
	window *window
	input  *input
	sizes  chan size
	orders chan []byte
	// Closed when the other end is not there any more.
	gone chan struct{}
}

type size struct {
	Rows    uint16 `json:"rows"`
	Columns uint16 `json:"columns"`
}

const (
	windowBytes = 64 * 1024
	pieceBytes  = 8 * 1024
	// The engine says `here` every ten seconds: a session outlives a client that was killed.
	longestSilence = 45 * time.Second
)

func openLink(in io.Reader, out io.Writer) *link {
	if terminal, isFile := in.(*os.File); isFile {
		makeRaw(terminal)
	}
	l := &link{
		reader: bufio.NewReaderSize(in, 64*1024),
		writer: out,
		window: newWindow(windowBytes),
		input:  newInput(),
		sizes:  make(chan size, 16),
		orders: make(chan []byte, 1),
		gone:   make(chan struct{}),
	}
	go l.read()
	l.say("ready")
	return l
}

// Waits for what is to be done.
func (l *link) order(orders any) error {
	select {
	case text := <-l.orders:
		return json.Unmarshal(text, orders)
	case <-l.gone:
		return errors.New("nobody said what to do")
	}
}

func (l *link) say(line string) {
	l.writing.Lock()
	defer l.writing.Unlock()
	_, _ = io.WriteString(l.writer, line+"\n")
}

func (l *link) fail(code string, err error) {
	l.say("failed " + code + " " + base64.StdEncoding.EncodeToString([]byte(err.Error())))
}

// A writer of one of the two streams; it waits while the other end does not take what it has.
func (l *link) stream(number int) io.Writer { return streamWriter{l, number} }

type streamWriter struct {
	link   *link
	number int
}

func (s streamWriter) Write(content []byte) (int, error) {
	for at := 0; at < len(content); at += pieceBytes {
		piece := content[at:]
		if len(piece) > pieceBytes {
			piece = piece[:pieceBytes]
		}
		if !s.link.window.take(len(piece)) {
			return at, errors.New("nobody reads any more")
		}
		s.link.say(strconv.Itoa(s.number) + " " + base64.StdEncoding.EncodeToString(piece))
	}
	return len(content), nil
}

// The input as a stream.
func (l *link) content() io.Reader { return inputReader{l} }

type inputReader struct{ link *link }

func (r inputReader) Read(target []byte) (int, error) {
	count, err := r.link.input.read(target)
	if count > 0 {
		r.link.say("took " + strconv.Itoa(count))
	}
	return count, err
}

func (l *link) read() {
	defer l.window.close()
	defer close(l.gone)
	defer l.input.end(io.ErrUnexpectedEOF)
	lines := make(chan string)
	go func() {
		defer close(lines)
		for {
			line, err := l.reader.ReadString('\n')
			if err != nil {
				return
			}
			select {
			case lines <- strings.TrimRight(line, "\r\n"):
			case <-l.gone:
				return
			}
		}
	}()
	for {
		select {
		case line, isOpen := <-lines:
			if !isOpen || line == "bye" {
				return
			}
			l.heard(line)
		case <-time.After(longestSilence):
			return
		}
	}
}

func (l *link) heard(line string) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "order":
		l.orders <- decode(rest)
	case "0":
		l.input.add(decode(rest))
	case "end":
		l.input.end(io.EOF)
	case "took":
		count, _ := strconv.Atoi(rest)
		l.window.give(count)
	case "size":
		var now size
		if _, err := fmt.Sscan(rest, &now.Rows, &now.Columns); err == nil {
			l.sizes <- now
		}
	}
}

func decode(text string) []byte {
	content, _ := base64.StdEncoding.DecodeString(text)
	return content
}

// How much may be under way.
type window struct {
	change *sync.Cond
	free   int
	closed bool
}

func newWindow(bytes int) *window {
	return &window{change: sync.NewCond(&sync.Mutex{}), free: bytes}
}

// Waits for room; false when there will be none.
func (w *window) take(bytes int) bool {
	w.change.L.Lock()
	defer w.change.L.Unlock()
	for w.free < bytes && !w.closed {
		w.change.Wait()
	}
	w.free -= bytes
	return !w.closed
}

func (w *window) give(bytes int) {
	w.change.L.Lock()
	defer w.change.L.Unlock()
	w.free += bytes
	w.change.Broadcast()
}

func (w *window) close() {
	w.change.L.Lock()
	defer w.change.L.Unlock()
	w.closed = true
	w.change.Broadcast()
}

// What has come and was not read yet: no more than the other end may have under way.
type input struct {
	change  *sync.Cond
	waiting []byte
	failure error
}

func newInput() *input { return &input{change: sync.NewCond(&sync.Mutex{})} }

func (i *input) add(content []byte) {
	i.change.L.Lock()
	defer i.change.L.Unlock()
	i.waiting = append(i.waiting, content...)
	i.change.Broadcast()
}

// The first end is the one.
func (i *input) end(failure error) {
	i.change.L.Lock()
	defer i.change.L.Unlock()
	if i.failure == nil {
		i.failure = failure
	}
	i.change.Broadcast()
}

func (i *input) read(target []byte) (int, error) {
	i.change.L.Lock()
	defer i.change.L.Unlock()
	for len(i.waiting) == 0 && i.failure == nil {
		i.change.Wait()
	}
	if len(i.waiting) == 0 {
		return 0, i.failure
	}
	count := copy(target, i.waiting)
	i.waiting = i.waiting[count:]
	return count, nil
}

// Lets the other end hang up first, so that nothing of what was said is lost.
func (l *link) leave() {
	select {
	case <-l.gone:
	case <-time.After(2 * time.Second):
	}
}
