from copy import deepcopy

import pytest

from moamap.core.secrets import mask_secrets


@pytest.mark.parametrize(
    ("given", "masked"),
    [
        ("https://ann:pa55@host/x.csv", "https://***@host/x.csv"),
        ("https://ghp_0123@host/x.csv", "https://***@host/x.csv"),
        ("ftp://ann:p@55@host:21/x.csv", "ftp://***@host:21/x.csv"),
        ("https://host/x.csv?token=abc", "https://host/x.csv?token=***"),
        ("https://host/x.csv?page=2&API_KEY=abc&n=3", "https://host/x.csv?page=2&API_KEY=***&n=3"),
        (
            "https://s3/x?X-Amz-Credential=A%2F1&X-Amz-Expires=60&X-Amz-Signature=b7+",
            "https://s3/x?X-Amz-Credential=***&X-Amz-Expires=60&X-Amz-Signature=***",
        ),
        ("https://host/x#access_token=abc", "https://host/x#access_token=***"),
        ("https://host/x?%74oken=abc", "https://host/x?%74oken=***"),
        ("https://host/x?token=a'bc", "https://host/x?token=***"),
        (
            "'https://a:b@h/x?sig=1' and then 'http://c:d@h/y?password=2'; HTTP 404",
            "'https://***@h/x?sig=***' and then 'http://***@h/y?password=***'; HTTP 404",
        ),
        ("host h, url: /x.csv?token=abc (refused)", "host h, url: /x.csv?token=*** (refused)"),
    ],
)
def test_secrets_in_urls_are_masked(given, masked):
    assert mask_secrets(given) == masked
    assert mask_secrets(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann@example.org",
        "https://host/a/x@2.csv",
        "http://host/api/download?path=LINCS_Data/Broad&file=LDS-1195.tar.gz",
        "plates/*.csv",
        "a key=value pair; token=3",
        "^(?P<key>Cells|Nuclei)_(?=Token)",
    ],
)
def test_what_is_no_secret_stays(text):
    assert mask_secrets(text) == text


def test_a_nested_config_is_masked_and_nothing_else_of_it_changes():
    config = {
        "dataset": "token",
        "sources": {
            "profiles": {
                "location": ["https://a:b@h/1.csv", "plates/2.csv", "https://h/3.csv?key=c"],
                "checksum": None,
            },
            "drugs": {"location": "https://h/4.txt?signature=d", "name": "secret.txt"},
        },
        "crossfit": {"seed": 0, "splits": 5},
        "offline": False,
        "pairs": ("https://a:b@h", 1.5),
    }
    before, expected = deepcopy(config), deepcopy(config)
    expected["sources"]["profiles"]["location"] = ["https://***@h/1.csv", "plates/2.csv", "https://h/3.csv?key=***"]
    expected["sources"]["drugs"]["location"] = "https://h/4.txt?signature=***"
    expected["pairs"] = ("https://***@h", 1.5)
    assert mask_secrets(config) == expected
    assert config == before
