package notify

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/stanch-dev/stanch/scanner/finding"
)

// A mailbox is a mail server that keeps what it takes.
type mailbox struct {
	mu     sync.Mutex
	mails  []string
	refuse *smtp.SMTPError
	users  []string
}

type mailSession struct {
	box      *mailbox
	from, to string
}

func (b *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &mailSession{box: b}, nil }

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		s.box.mu.Lock()
		defer s.box.mu.Unlock()
		if password != "opensesame" {
			return fmt.Errorf("no such password: %s", password)
		}
		s.box.users = append(s.box.users, user)
		return nil
	}), nil
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error { s.from = from; return nil }
func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error   { s.to = to; return nil }
func (s *mailSession) Reset()                                      {}
func (s *mailSession) Logout() error                               { return nil }

func (s *mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	if s.box.refuse != nil {
		return s.box.refuse
	}
	s.box.mails = append(s.box.mails, string(text))
	return nil
}

// start starts the server, with TLS from the first byte if implicit is set, else with STARTTLS if
// it has a certificate. It returns host:port and who trusts the certificate.
func (b *mailbox) start(t *testing.T, implicit, certified bool) (address string, trust *x509.CertPool) {
	t.Helper()
	web := httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(web.Close)
	trust = x509.NewCertPool()
	trust.AddCert(web.Certificate())
	config := &tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12}
	srv := smtp.NewServer(b)
	srv.Domain, srv.AllowInsecureAuth, srv.ErrorLog = "mail.example.com", true, nopLog{}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	switch {
	case implicit:
		l = tls.NewListener(l, config)
	case certified:
		srv.TLSConfig = config
	}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	return address, trust
}

type nopLog struct{}

func (nopLog) Printf(string, ...any) {}
func (nopLog) Println(...any)        {}

func mailTarget(t *testing.T, url string, trust *x509.CertPool) Target {
	t.Helper()
	got, err := ParseTarget("mailto:security@example.com", func(string) string { return url })
	if err != nil {
		t.Fatal(err)
	}
	got.mail.roots = trust
	return got
}

func testAlert() *finding.Alert {
	f := finding.AlertFinding{Event: finding.EventLive, State: "live", Repository: "acme/app", Command: "stanch respond plan ID -o plan.json"}
	f.KeyID, f.Account, f.Kind, f.Name, f.Where = "ID", "111122223333", "user", "zoë\r\nBcc: everybody@example.com", ".env:1"
	a := &finding.Alert{Delivery: "D1", Kind: finding.AlertNews, Time: time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC), Findings: []finding.AlertFinding{f}, Page: "https://stanch.example.com"}
	a.Complete()
	return a
}

// TestMail holds what arrives in a mailbox: over TLS from the first byte, by STARTTLS, and in
// plain text on this machine alone.
func TestMail(t *testing.T) {
	for _, tt := range []struct {
		name                string
		implicit, certified bool
		scheme              string
	}{{"smtps", true, true, "smtps"}, {"starttls", false, true, "smtp"}, {"loopback", false, false, "smtp"}} {
		t.Run(tt.name, func(t *testing.T) {
			b := &mailbox{}
			address, trust := b.start(t, tt.implicit, tt.certified)
			to := mailTarget(t, tt.scheme+"://stanch@example.com:opensesame@"+address, trust)
			n := &Notifier{Version: "test"}
			for range 2 {
				if err := n.SendAlert(t.Context(), to, testAlert()); err != nil {
					t.Fatal(err)
				}
			}
			if len(b.mails) != 2 || len(b.users) != 2 || b.users[0] != "stanch@example.com" {
				t.Fatalf("%d mails, signed in: %q", len(b.mails), b.users)
			}
			m, err := mail.ReadMessage(strings.NewReader(b.mails[0]))
			if err != nil {
				t.Fatal(err)
			}
			subject, err := (&mime.WordDecoder{}).DecodeHeader(m.Header.Get("Subject"))
			if err != nil || subject != "stanch: 1 leaked key is LIVE" || m.Header.Get("Bcc") != "" {
				t.Errorf("subject %q, %v, headers %v", subject, err, m.Header)
			}
			if id := m.Header.Get("Message-Id"); id != "<stanch.D1@example.com>" {
				t.Errorf("Message-ID %s", id)
			}
			if at, err := m.Header.Date(); err != nil || at.Hour() != 3 {
				t.Errorf("%v, %v", at, err)
			}
			body := b.mails[0]
			for _, want := range []string{"LIVE ID of user zo=C3=AB", "stanch respond plan ID -o plan.json", "All findings: https://stanch.example.com"} {
				if !strings.Contains(body, want) {
					t.Errorf("no %q in %s", want, body)
				}
			}
		})
	}
}

// TestMailRefused holds that a server which is not the right one gets no password, and that no
// error has it.
func TestMailRefused(t *testing.T) {
	n := &Notifier{Version: "test"}
	for _, tt := range []struct {
		name                string
		implicit, certified bool
		url                 string // of %s
		refuse              *smtp.SMTPError
		want                string
		refused             bool
	}{
		{"certificate of nobody", false, true, "smtp://u:opensesame@%s/?from=a@example.com", nil, "certificate", false},
		{"certificate of nobody, from the first byte", true, true, "smtps://u:opensesame@%s/?from=a@example.com", nil, "certificate", false},
		{"wrong password", false, false, "smtp://u:opensesamee@%s/?from=a@example.com", nil, "is not shown", false},
		{"for a while", false, false, "smtp://%s/?from=a@example.com", &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}, "greylisted", false},
		{"for ever", false, false, "smtp://%s/?from=a@example.com", &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "spam"}, "spam", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &mailbox{refuse: tt.refuse}
			address, _ := b.start(t, tt.implicit, tt.certified)
			err := n.SendAlert(t.Context(), mailTarget(t, fmt.Sprintf(tt.url, address), nil), testAlert())
			var send *SendError
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "opensesame") || !errors.As(err, &send) || send.Refused() != tt.refused {
				t.Errorf("%v", err)
			}
			if len(b.mails)+len(b.users) > 0 {
				t.Error("the server got the mail")
			}
		})
	}
	s := mailServer{host: "mail.example.com", from: "a@example.com"}
	b := &mailbox{}
	address, _ := b.start(t, false, false)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.talk(conn, "b@example.com", nil); err == nil || !strings.Contains(err.Error(), "no STARTTLS") {
		t.Errorf("another machine without TLS: %v", err)
	}
	s = mailServer{user: "u", password: "opensesame"}
	line := base64.StdEncoding.EncodeToString([]byte("\x00u\x00opensesame"))
	if err := s.explain(fmt.Errorf("502 unknown: AUTH PLAIN %s", line)); strings.Contains(err.Error(), line) {
		t.Errorf("a server that quotes the command: %v", err)
	}
	for _, url := range []string{"", "mail.example.com", "https://u:opensesame@mail.example.com", "smtp://u:opensesame@mail.example.com", "smtp://u:opensesame@mail.example.com/?from=x%0ABcc:y"} {
		if _, err := ParseTarget("mailto:security@example.com", func(string) string { return url }); err == nil || strings.Contains(err.Error(), "opensesame") {
			t.Errorf("%q: %v", url, err)
		}
	}
}
