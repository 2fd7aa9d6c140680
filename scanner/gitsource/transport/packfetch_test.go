package transport

import (
	"net/url"
	"os"
	"strings"
	"testing"
)

// TestFetchDiskFull tells a full disk from a server that fails.
func TestFetchDiskFull(t *testing.T) {
	full, err := os.Open(os.DevNull) // cannot be written to
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	f := fetch{Remote: &Remote{http: &gitHTTP{}}}
	if _, err := f.receive(full, strings.NewReader("PACK")); err == nil || !strings.Contains(err.Error(), "writing the pack: ") {
		t.Errorf("got %v", err)
	}
}

// TestOrigin: go-git leaves out a port that is the default.
func TestOrigin(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"https://Host/x", "https://host:443/y", true},
		{"http://[::1]/x", "http://[::1]:80/y", true},
		{"https://host/x", "http://host/x", false},
		{"https://host/x", "https://host:8443/x", false},
		{"https://host/x", "https://host.example/x", false},
	} {
		a, errA := url.Parse(tt.a)
		b, errB := url.Parse(tt.b)
		if errA != nil || errB != nil || (origin(a) == origin(b)) != tt.same {
			t.Errorf("%s and %s: %v, %v", tt.a, tt.b, errA, errB)
		}
	}
}
