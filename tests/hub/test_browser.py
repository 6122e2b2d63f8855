"""The hub in a browser: from a method's form to the report of its run, with and without scripts, in both directions."""

import subprocess
import sys

import pytest
from browsing import violations

MAIN = "from statcommons.cli.main import main; main()"
EMAIL, PASSWORD = "amina@stat.example", "a long and quiet evening"


@pytest.fixture
def served(hub):
    """Serve a hub with an administrator; gives its address."""
    words = [sys.executable, "-c", MAIN]
    made = [*words, "createadmin", EMAIL, "--password", PASSWORD, "--workspace", hub.path]
    subprocess.run(made, check=True, capture_output=True)
    command = [*words, "serve", "--port", "0", "--workspace", hub.path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        yield server.stdout.readline().strip()
        server.terminate()
        assert server.wait(30) == 0


def answering(content):
    return lambda route: route.fulfill(body=content, content_type="text/html")


@pytest.mark.browser
@pytest.mark.parametrize(("language", "scripts", "width"), [("en", True, 1280), ("ar", False, 375)])
def test_from_a_form_to_a_report(served, browser, tmp_path, language, scripts, width):
    sales = tmp_path / "sales.csv"
    sales.write_text("time,product,price,quantity\n2026-01-05,a,2.0,1\n2026-01-09,a,3.0,3\n")
    context = browser.new_context(viewport={"width": width, "height": 800}, java_script_enabled=scripts)
    page = context.new_page()
    seen = []

    def look():
        """Keep what stands on the page, to be judged where scripts run."""
        seen.append((page.url, page.content()))

    page.goto(f"{served}{language}/methods")
    look()
    page.click("text=Compute unit values")
    look()
    page.click("main .btn")
    look()
    page.fill("input[name=login]", EMAIL)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button.go")
    assert page.url.endswith("/methods/hub/prices.unit_values")
    page.click("main button.go")  # nothing was chosen
    assert page.locator(".ban.bad").count() == 1
    look()
    page.set_input_files("input[type=file]", str(sales))
    page.click("main button.go")
    for _ in range(60):
        if page.locator(".facts .b.ok, .facts .b.bad").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    assert page.locator(".facts .b.ok").count() == 1
    look()
    page.click("#state .btn")
    assert "Compute unit values from transactions" in page.title()
    context.close()

    judge = browser.new_context(viewport={"width": width, "height": 800})
    for url, content in seen:
        page = judge.new_page()
        page.route(url, answering(content))
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0, url
        assert (url, violations(page)) == (url, [])
        page.close()
    judge.close()
