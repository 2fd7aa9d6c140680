// Package sweeptest starts a server of PostgreSQL for tests of sweeps, and has stores for those
// of the store and of the engine.
package sweeptest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// A Postgres is a server of PostgreSQL of a test.
type Postgres struct {
	URL      string // of the database that every server has
	bin, dir string
	as       []string // command to run its programs as another user: they refuse to run as root
	port     int
}

// StartPostgres starts a server, which ends with the test. Without its programs the test
// is skipped, but not in CI.
func StartPostgres(t testing.TB) *Postgres {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("PostgreSQL is not there")
		}
		t.Skip("needs the programs of PostgreSQL (Debian: postgresql)")
	}
	p := &Postgres{bin: filepath.Dir(found[len(found)-1])}
	dir, err := os.MkdirTemp("", "pg") //nolint:usetesting // that of the test is too long for a socket, and closed to the user of the server
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p.dir = filepath.Join(dir, "data")
	if os.Getuid() == 0 {
		p.as = []string{"runuser", "-u", "postgres", "--"}
		owner, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(owner.Uid)
		if err := os.Chown(dir, uid, -1); err != nil {
			t.Fatal(err)
		}
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.port = l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	p.run(t, "initdb", "-D", p.dir, "-U", "stanch", "--auth=trust", "--no-sync", "-E", "UTF8")
	p.Start(t)
	t.Cleanup(func() { p.Stop(t, "immediate") })
	p.URL = fmt.Sprintf("postgres://stanch@127.0.0.1:%d/postgres?sslmode=disable", p.port)
	return p
}

// Start starts the server again, after Stop.
func (p *Postgres) Start(t testing.TB) {
	t.Helper()
	p.run(t, "pg_ctl", "-D", p.dir, "-w", "-l", filepath.Join(filepath.Dir(p.dir), "log"), "-o",
		fmt.Sprintf("-p %d -k %s -c listen_addresses=127.0.0.1 -c fsync=off", p.port, filepath.Dir(p.dir)), "start")
}

// Stop stops the server as the mode of pg_ctl says.
func (p *Postgres) Stop(t testing.TB, mode string) {
	t.Helper()
	p.run(t, "pg_ctl", "-D", p.dir, "-w", "-m", mode, "stop")
}

func (p *Postgres) run(t testing.TB, program string, args ...string) {
	t.Helper()
	argv := append(append([]string{}, p.as...), append([]string{filepath.Join(p.bin, program)}, args...)...)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), argv[0], argv[1:]...) // it stops the server after the test, too
	cmd.Dir = "/"
	cmd.WaitDelay = time.Second // the server holds the output of pg_ctl open
	if out, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 0 {
		t.Fatalf("%s: %v: %s", program, err, out)
	}
}
