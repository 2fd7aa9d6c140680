package detectorstest

import "strings"

// Contexts returns texts with blanks for InContext, by name. In each, a value stands with an
// id and a secret, in one of many formats and with something else right behind it. The name
// is "format/follow".
func Contexts() map[string]string {
	texts := map[string]string{}
	for format, text := range formats {
		for follow, after := range follows {
			text := strings.Replace(text, "|", after, 1)
			if format == "json_text" {
				text = strings.ReplaceAll(text, "\n", `\n`)
			}
			texts[format+"/"+follow] = text
		}
	}
	return texts
}

// InContext fills the blanks of one of Contexts. Another key in it is made from the seed 2.
func InContext(text, id, secret, value string) string {
	return Fill(strings.NewReplacer("{id}", id, "{secret}", secret, "{value}", value).Replace(text))
}

// formats are texts in which a value stands; one of follows takes the place of "|".
var formats = map[string]string{
	"env":        "AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\nAWS_SESSION_TOKEN={value}|\n",
	"env_first":  "AWS_SESSION_TOKEN={value}|\nAWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\n",
	"export":     "export AWS_ACCESS_KEY_ID={id}\nexport AWS_SECRET_ACCESS_KEY={secret}\nexport AWS_SESSION_TOKEN={value}|\n",
	"fish":       "set -x AWS_ACCESS_KEY_ID {id}\nset -x AWS_SECRET_ACCESS_KEY {secret}\nset -x AWS_SESSION_TOKEN {value}|\n",
	"ini":        "[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\naws_session_token = {value}|\n",
	"yaml":       "id: {id}\nsecret: {secret}\ntoken: {value}|\n",
	"properties": "aws.accessKeyId={id}\naws.secretKey={secret}\naws.sessionToken={value}|\n",
	"header":     "# {id} {secret}\nGET / HTTP/1.1\nX-Amz-Security-Token: {value}|\nHost: x\n",
	"heredoc":    "cat > ~/.aws/credentials <<EOF\n[default]\naws_access_key_id={id}\naws_secret_access_key={secret}\naws_session_token={value}|\nEOF\n",
	"set_dump":   "AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\nAWS_SESSION_TOKEN={value}|\nBASH=/bin/bash\n",
	"bare_lines": "{id}\n{secret}\n{value}|\n",
	"csv":        "id,secret,token\n{id},{secret},{value}|\n",
	"docker":     "docker run -e AWS_ACCESS_KEY_ID={id} -e AWS_SECRET_ACCESS_KEY={secret} -e AWS_SESSION_TOKEN={value}|\n",
	"log":        "12:00:01 id={id} secret={secret}\n12:00:02 token={value}|\n",
	"xml":        "<c><id>{id}</id>\n<secret>{secret}</secret>\n<token>\n{value}|\n</token></c>\n",
	"json":       `{"id": "{id}", "secret": "{secret}", "token": "{value}"}` + "|\n",
	"json_text":  `{"x": "id={id}` + "\nsecret={secret}\ntoken={value}|\n" + `"}`,
	"diff":       "+AWS_ACCESS_KEY_ID={id}\n+AWS_SECRET_ACCESS_KEY={secret}\n+AWS_SESSION_TOKEN={value}|\n",
	"markdown":   "```\nid: {id}\nsecret: {secret}\ntoken:\n{value}|\n```\n",
	"powershell": "$env:AWS_ACCESS_KEY_ID='{id}'\n$env:AWS_SECRET_ACCESS_KEY='{secret}'\n$env:AWS_SESSION_TOKEN={value}|\n",
}

// follows are texts that may stand right behind a value.
var follows = map[string]string{
	"end":           "",
	"word":          "\nword",
	"four_letters":  "\ndone",
	"capitals":      "\nEOF",
	"four_capitals": "\nDONE",
	"name":          "\nAWS_REGION=eu-west-1",
	"name_hex":      "\nAB1=41",
	"digits":        "\n2024",
	"digits_name":   "\n0A=1",
	"mixed":         "\nAb3",
	"mixed_eight":   "\nv1Beta01",
	"word_number":   "\nDone2024",
	"empty_name":    "\nDISPLAY=",
	"plus":          "\n+plus",
	"slash":         "\n/usr/bin",
	"yaml":          "\nregion: eu-west-1",
	"header":        "\nAccept: */*",
	"blank":         "\n\nword",
	"indented":      "\n  word",
	"section":       "\n[other]",
	"comment":       "\n# word",
	"id":            "\n{AKIA2}",
	"secret":        "\n{secret2}",
	"both":          "\n{AKIA2}\n{secret2}",
	"quoted":        "\n\"word\"",
	"semicolon":     ";\nword",
	"again":         "\n{value}",
}
