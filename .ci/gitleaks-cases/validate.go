// Package utils takes the place of gitleaks' own cmd/generate/config/utils/validate.go
// in a copy of its source, where its generator then writes each test case of a rule
// to the file that GITLEAKS_CASES names, with what gitleaks finds there, instead of
// checking it. See .ci/run.
package utils

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/zricethezav/gitleaks/v8/cmd/generate/config/base"
	"github.com/zricethezav/gitleaks/v8/config"
	"github.com/zricethezav/gitleaks/v8/detect"
)

// Validate writes the cases of a rule.
func Validate(rule config.Rule, truePositives []string, falsePositives []string) *config.Rule {
	for _, text := range truePositives {
		write(&rule, "", text, true)
	}
	for _, text := range falsePositives {
		write(&rule, "", text, false)
	}
	return &rule
}

// ValidateWithPaths writes the cases of a rule for certain files, by their paths.
func ValidateWithPaths(rule config.Rule, truePositives map[string]string, falsePositives map[string]string) *config.Rule {
	for path, text := range truePositives {
		write(&rule, path, text, true)
	}
	for path, text := range falsePositives {
		write(&rule, path, text, false)
	}
	return &rule
}

func write(rule *config.Rule, path, text string, want bool) {
	d := detector(rule)
	secrets := []string{}
	for _, f := range d.Detect(detect.Fragment{Raw: text, FilePath: path}) {
		secrets = append(secrets, f.Secret)
	}
	out, err := os.OpenFile(os.Getenv("GITLEAKS_CASES"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer out.Close()
	err = json.NewEncoder(out).Encode(map[string]any{
		"rule": rule.RuleID, "path": path, "text": []byte(text), "want": want, "secrets": secrets,
	})
	if err != nil {
		panic(err)
	}
}

// detector is gitleaks' createSingleRuleDetector.
func detector(rule *config.Rule) *detect.Detector {
	for i, k := range rule.Keywords {
		rule.Keywords[i] = strings.ToLower(k)
	}
	cfg := base.CreateGlobalConfig()
	cfg.Rules = map[string]config.Rule{rule.RuleID: *rule}
	cfg.Keywords = map[string]struct{}{}
	for _, k := range rule.Keywords {
		cfg.Keywords[k] = struct{}{}
	}
	for _, a := range cfg.Allowlists {
		if err := a.Validate(); err != nil {
			panic(err)
		}
	}
	return detect.NewDetector(cfg)
}
