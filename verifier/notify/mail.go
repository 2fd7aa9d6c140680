package notify

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"net/url"
	"strings"
	"time"
)

// SMTPVariable is the environment variable with the URL of the mail server:
// smtp[s]://user:password@host:port/?from=stanch@example.com. smtps speaks TLS from the first
// byte (RFC 8314), smtp begins it by STARTTLS (RFC 3207), without which no mail is sent unless
// the server is on this machine.
const SMTPVariable = "STANCH_SMTP_URL"

// mailTimeout is how long one mail may take, greylisting not included.
const mailTimeout = 20 * time.Second

// A mailServer takes mail from senders. net/smtp of the standard library does all that is
// needed; a library for mail would be compiled into every command of stanch.
type mailServer struct {
	host, port, from string
	user, password   string
	implicit         bool           // TLS from the first byte
	roots            *x509.CertPool // nil for those of the system
}

// mailTo reads the target of "mailto:ADDRESS".
func (t Target) mailTo(getenv func(string) string) (Target, error) {
	address, err := mail.ParseAddress(t.to)
	if err != nil || address.Address != t.to {
		return Target{}, fmt.Errorf("mailto: %q is not an address such as security@example.com", t.to)
	}
	t.mail, err = parseMailServer(getenv(SMTPVariable))
	if err != nil {
		return Target{}, fmt.Errorf("mailto: %s: %w", SMTPVariable, err)
	}
	return t, nil
}

// parseMailServer reads the URL of a mail server. No error quotes it.
func parseMailServer(text string) (s mailServer, err error) {
	const want = "want smtp[s]://user:password@host:port/?from=ADDRESS"
	if text == "" {
		return s, errors.New("it is not set: " + want)
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return s, errors.New("it is not the URL of a mail server: " + want)
	}
	s = mailServer{host: u.Hostname(), user: u.User.Username(), from: u.Query().Get("from"), implicit: u.Scheme == "smtps"}
	s.password, _ = u.User.Password()
	standard := "587" // of submission, RFC 6409
	if s.implicit {
		standard = "465"
	}
	s.port = cmp.Or(u.Port(), standard)
	if s.from == "" && strings.Contains(s.user, "@") {
		s.from = s.user
	}
	if address, err := mail.ParseAddress(s.from); err != nil || address.Address != s.from {
		return mailServer{}, errors.New("it does not say from which address to send: add ?from=stanch@example.com")
	}
	return s, nil
}

// mailNotice sends one notice as a mail.
func (n *Notifier) mailNotice(ctx context.Context, t Target, notice Notice) error {
	subject, _, _ := strings.Cut(notice.Text, ". ")
	return t.mail.send(ctx, t.to, cut(subject, 200), notice.Text, rand.Text(), notice.Time)
}

// send sends a mail, and returns nil once the server has taken it. Its Message-ID is made of
// id, so that a mail which is sent again is known to be the same.
func (s mailServer) send(ctx context.Context, to, subject, text, id string, at time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(s.host, s.port))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := s.talk(conn, to, s.compose(to, subject, text, id, at)); err != nil {
		return s.explain(err)
	}
	return nil
}

func (s mailServer) talk(conn net.Conn, to string, message []byte) error {
	config := &tls.Config{ServerName: s.host, RootCAs: s.roots, MinVersion: tls.VersionTLS12}
	if s.implicit {
		conn = tls.Client(conn, config)
	}
	c, err := smtp.NewClient(conn, s.host)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if !s.implicit {
		if ok, _ := c.Extension("STARTTLS"); ok {
			if err := c.StartTLS(config); err != nil {
				return err
			}
		} else if !loopback(s.host) {
			return errors.New("the server offers no STARTTLS, and without it anybody on the way could read the mail: use smtps, or another server")
		}
	}
	if s.user != "" {
		if err := c.Auth(smtp.PlainAuth("", s.user, s.password, s.host)); err != nil {
			return fmt.Errorf("signing in as %s: %w", s.user, err)
		}
	}
	if err := c.Mail(s.from); err != nil {
		return err
	}
	if err := c.Rcpt(to); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(message); err != nil {
		return err
	}
	if err := w.Close(); err != nil { // the server takes it here, or refuses
		return err
	}
	_ = c.Quit()
	return nil
}

// explain returns err without the password, which a server might quote. Codes of 4yz are for a
// while, those of 5yz for ever (RFC 5321, section 4.2.1); 552 and 554 refuse the mail itself.
func (s mailServer) explain(err error) error {
	var code *textproto.Error
	refused := errors.As(err, &code) && (code.Code == 552 || code.Code == 554)
	if s.isQuoted(err.Error()) {
		err = errors.New("the server refuses (its answer quotes the password, and is not shown)")
	}
	return &SendError{err: err, refused: refused}
}

// isQuoted reports whether text has the password, as it is or as it is sent: a server that does
// not know the command AUTH may quote the line (RFC 4616).
func (s mailServer) isQuoted(text string) bool {
	sent := base64.StdEncoding.EncodeToString([]byte("\x00" + s.user + "\x00" + s.password))
	return s.password != "" && (strings.Contains(text, s.password) || strings.Contains(text, sent))
}

// compose returns a mail (RFC 5322): plain text, UTF-8, in quoted-printable.
func (s mailServer) compose(to, subject, text, id string, at time.Time) []byte {
	_, domain, _ := strings.Cut(s.from, "@")
	var b bytes.Buffer
	header := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	header("From", (&mail.Address{Name: "stanch", Address: s.from}).String())
	header("To", (&mail.Address{Address: to}).String())
	header("Subject", mime.QEncoding.Encode("utf-8", oneLine(subject)))
	header("Date", at.Format(time.RFC1123Z))
	header("Message-ID", "<stanch."+hexIfNeeded(id)+"@"+domain+">")
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "quoted-printable")
	header("Auto-Submitted", "auto-generated") // RFC 3834: no answering machine answers
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n") + "\r\n"))
	_ = w.Close()
	return b.Bytes()
}

// oneLine keeps a text from adding a header.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// hexIfNeeded returns id in letters and digits.
func hexIfNeeded(id string) string {
	for _, r := range id {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return hex.EncodeToString([]byte(id))
		}
	}
	return id
}
