"""Requests of every shape, with texts that no well-meaning client would send."""

from hypothesis import strategies as st

from gatecrash.authorizers.contract import AuthorizerRequest, HttpContext, MqttContext, TlsContext

# Any code point: NUL, lone surrogates and astral characters included.
TEXTS = st.text(st.characters(), max_size=12) | st.sampled_from(["", "\0", "\ud800", "\udfff\ud800", "😀", "a\u2028b"])
HEADERS = st.dictionaries(TEXTS, TEXTS, max_size=3)


def maybe(strategy):
    return st.none() | strategy


def requests():
    return st.builds(
        AuthorizerRequest,
        token=maybe(TEXTS),
        token_signature=maybe(TEXTS),
        http_context=maybe(st.builds(HttpContext, headers=maybe(HEADERS), query_string=maybe(TEXTS))),
        mqtt_context=maybe(
            st.builds(
                MqttContext, username=maybe(TEXTS), password=maybe(st.binary(max_size=12)), client_id=maybe(TEXTS)
            )
        ),
        tls_context=maybe(st.builds(TlsContext, server_name=maybe(TEXTS))),
    )
