package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// A recorder keeps what is told to Security Hub and EventBridge, on its way to moto.
type recorder struct {
	next http.Handler

	mu     sync.Mutex
	bodies map[string]string // by operation of botocore
}

// ServeHTTP implements http.Handler.
func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	operation := ""
	switch {
	case req.URL.Path == "/findings/import":
		operation = "securityhub BatchImportFindings"
	case req.Header.Get("X-Amz-Target") == "AWSEvents.PutEvents":
		operation = "events PutEvents"
	}
	if operation != "" {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		r.mu.Lock()
		r.bodies[operation] = string(body)
		r.mu.Unlock()
	}
	r.next.ServeHTTP(w, req)
}

// validate holds a body against botocore's model of an operation, as the AWS CLI does:
// what is required is there, and nothing that the model does not know.
const validate = `
import json, sys, botocore.session, botocore.validate
service, operation = sys.argv[1:]
shape = botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape
report = botocore.validate.ParamValidator().validate(json.load(sys.stdin), shape)
if report.has_errors():
    sys.exit(report.generate_report())
`

func (r *recorder) check(ts *testscript.TestScript) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.bodies) != 2 {
		ts.Fatalf("%d services were told", len(r.bodies))
	}
	// moto stands on botocore: the Python that runs it has the models.
	program := os.Getenv("MOTO_SERVER")
	python := filepath.Join(filepath.Dir(program), "python")
	if _, err := exec.LookPath(python); program == "" || err != nil {
		python = "python3"
	}
	for operation, body := range r.bodies {
		cmd := exec.Command(python, append([]string{"-c", validate}, strings.Fields(operation)...)...)
		cmd.Stdin = strings.NewReader(body)
		if out, err := cmd.CombinedOutput(); err != nil {
			ts.Fatalf("%s: %v\n%s\n%s", operation, err, out, body)
		}
	}
}
