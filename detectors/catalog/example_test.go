package catalog_test

import (
	"fmt"

	"github.com/stanch-dev/stanch/detectors/catalog"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// NewSet has all detectors that are built in.
func ExampleNewSet() {
	text := "AWS_BEARER_TOKEN_BEDROCK=" + detectorstest.BedrockKey("alice", detectorstest.Account, 1) + "\n"
	for _, m := range catalog.NewSet().Detect(nil, []byte(text)) {
		fmt.Println(m.Rule.Title, m.Account)
	}
	// Output: Amazon Bedrock API key 123456789012
}
