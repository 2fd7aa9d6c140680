//go:build ignore

// serve serves the repositories of a folder over smart HTTP on 127.0.0.1:8418.
package main

import (
	"log"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
)

func main() {
	git, err := exec.LookPath("git")
	if err != nil {
		log.Fatal(err)
	}
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + os.Args[1], "GIT_HTTP_EXPORT_ALL=1"}}
	log.Fatal(http.ListenAndServe("127.0.0.1:8418", backend))
}
