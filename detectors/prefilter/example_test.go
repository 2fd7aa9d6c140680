package prefilter_test

import (
	"encoding/base64"
	"fmt"

	"github.com/stanch-dev/stanch/detectors/prefilter"
)

// A Filter sees a pattern in base64, and in base64 of base64.
func ExampleFilter_MayMatch() {
	f := prefilter.New(nil, []prefilter.Patterns{{Encoded: []string{"service_token"}}})
	once := base64.StdEncoding.EncodeToString([]byte("service_token: 1"))
	twice := base64.StdEncoding.EncodeToString([]byte(once))
	fmt.Println(f.MayMatch([]byte("x: 1")), f.MayMatch([]byte("x: "+once)), f.MayMatch([]byte("x: "+twice)))
	// Output: false true true
}
